"""How lm-evaluation-harness asks a server."""

import json
from importlib.metadata import PackageNotFoundError, version

import pytest

from dragoman.suites.harness import child as harness_child
from dragoman.suites.harness.messages import Job
from tests.generation.openai.servers import Misbehaving, spell, written

try:
    version("lm_eval")
except PackageNotFoundError:
    pytest.skip("needs the extra harness", allow_module_level=True)


@pytest.mark.parametrize("when", ["soon", "late"])
def test_an_answer_that_is_sent_twice_answers_no_other_request(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models import api_models

    monkeypatch.setattr(api_models, "TCPConnector", api_models.TCPConnector)  # puts it back in the end
    with Misbehaving(chat="strict") as server:
        server.faults = {"/v1/chat/completions": ["", "", "", "", "", when, "", when, "", "", when, ""]}
        arguments = {"model": "small", "base_url": f"{server.address}/chat/completions", "num_concurrent": 2}
        job: Job = {"backend": "local-chat-completions", "arguments": arguments, "batch_size": 1, "device": None}
        model = harness_child._open(job)
        tokens = range(13, 43)
        requests = []
        for token in tokens:
            prompt = api_models.JsonChatStr(json.dumps([{"role": "user", "content": f"t{token}"}]))
            settings = {"until": ["."], "max_gen_toks": 20}
            requests.append(Instance("generate_until", {}, (prompt, settings), token))
        assert model.generate_until(requests) == [spell(written((token,))) for token in tokens]
