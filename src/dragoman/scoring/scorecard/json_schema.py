"""The JSON Schema of a scorecard, made of its types; as a program it writes `scorecard.schema.json`."""

import json
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from dragoman.scoring.scorecard.schema import Scorecard

FILE = Path(__file__).with_name("scorecard.schema.json")


class _Untitled(GenerateJsonSchema):
    """Without a title for each field, which would say its name again."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def json_schema() -> JsonSchemaValue:
    """The JSON Schema of a scorecard, as `scorecard.schema.json` has it."""
    made = TypeAdapter(Scorecard).json_schema(schema_generator=_Untitled)
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}


def written() -> str:
    """The text of `scorecard.schema.json`."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
