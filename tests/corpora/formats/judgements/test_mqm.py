"""MQM tables: small ones of our own with every trap, and the published ones against their published scores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.corpora.formats.judgements import mqm
from dragoman.corpora.records import Rated, TranslationError
from dragoman.errors import DataError

HEADER = "system\tdoc\tdoc_id\tseg_id\trater\tsource\ttarget\tcategory\tseverity"
ROWS = (
    "A\ttalk\t1\t1\tr1\tDer Hund schläft.\tThe <v>cat</v> sleeps.\tAccuracy/Mistranslation\tMajor",
    "A\ttalk\t1\t1\tr1\tDer Hund schläft.\tThe cat sleeps<v>.</v>\tFluency/Punctuation\tMinor",
    "A\ttalk\t1\t1\tr2\tDer Hund schläft.\tThe cat <v>sleeps</v>.\tStyle/Awkward\tMinor",
    "B\ttalk\t1\t1\tr1\tDer Hund schläft.\tThe dog sleeps.\tNo-error\tNo-error",
    "A\ttalk\t1\t2\tr1\tEr bellt.\t<v>Colourless green ideas</v>\tNon-translation!\tMajor",
)
DE_EN = ("de", "en")


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "mqm.tsv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_errors_with_their_places_and_scores_by_the_published_weights(tmp_path: Path) -> None:
    found = mqm.read(table(tmp_path, *ROWS), DE_EN, "talks")
    first, second = found.records
    assert not found.doubts
    assert not found.dropped
    assert (first.source, first.source_language, first.target_language) == ("Der Hund schläft.", "de", "en")
    worse, best = first.translations
    assert (worse.system, worse.text, worse.score) == ("A", "The cat sleeps.", pytest.approx(-(5.1 + 1) / 2))
    assert worse.errors == (
        TranslationError("Accuracy/Mistranslation", "Major", 4, 7),
        TranslationError("Fluency/Punctuation", "Minor", 14, 15),
        TranslationError("Style/Awkward", "Minor", 8, 14),
    )
    assert (best.system, best.score, best.errors) == ("B", 0.0, ())
    assert second.translations[0].score == -25


@pytest.mark.parametrize(
    ("category", "severity", "weight"),
    [
        ("Accuracy/Omission", "Major", 5),
        ("Accuracy/Omission", "Critical", 5),
        ("Accuracy/Omission", "minor", 1),
        ("Fluency/Punctuation", "Minor", 0.1),
        ("Fluency/Punctuation", "Major", 5),
        ("Non-translation!", "Major", 25),
        ("Accuracy/Omission", "Neutral", 0),
    ],
)
def test_weights(category: str, severity: str, weight: float) -> None:
    assert mqm.weight(category, severity) == weight


def test_a_span_that_does_not_close_is_told_with_its_line_and_counts_without_a_place(tmp_path: Path) -> None:
    open_end = "A\ttalk\t1\t3\tr1\tJa.\tYes <v>sir.\tStyle/Awkward\tMinor"
    found = mqm.read(table(tmp_path, *ROWS, open_end), DE_EN)
    assert found.records[-1].translations[0].text == "Yes sir."
    assert found.records[-1].translations[0].errors == (TranslationError("Style/Awkward", "Minor"),)
    assert "1 of 5 spans do not close (line 7)" in found.doubts[0]


def test_many_spans_that_do_not_close_are_no_accident(tmp_path: Path) -> None:
    rows = [f"A\ttalk\t1\t{n}\tr1\tJa.\tYes <v>sir {n}.\tStyle/Awkward\tMinor" for n in range(12)]
    with pytest.raises(DataError, match=r"12 of 12 spans do not close \(line 2, 3, 4, 5, 6, …\)"):
        mqm.read(table(tmp_path, *rows), DE_EN)


def test_an_unknown_severity_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = (*ROWS, ROWS[0].replace("Major", "Catastrophic"), ROWS[0].replace("Major", ""))
    with pytest.raises(DataError) as refused:
        mqm.read(table(tmp_path, *rows), DE_EN)
    assert "mqm.tsv, line 7: severity 'Catastrophic'; known are no-error, neutral, minor, major, critical" in str(
        refused.value
    )
    assert "line 8: severity ''" in str(refused.value)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no MQM table: the column source, severity, seg_id \(or doc_id\) is missing"):
        mqm.read(table(tmp_path, "a\tb\tc", header="system\ttarget\tcategory"), DE_EN)
    with pytest.raises(DataError, match="without rows below its header"):
        mqm.read(table(tmp_path), DE_EN)


def test_a_row_of_another_length_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3: 4 columns, and the first row names 9"):
        mqm.read(table(tmp_path, ROWS[0], "A\ttalk\t1\t1"), DE_EN)


def test_a_translation_without_its_source_is_left_out_and_told_with_its_line(tmp_path: Path) -> None:
    rows = (*ROWS, "A\ttalk\t1\t9\tr1\t\tYes.\tNo-error\tNo-error")
    found = mqm.read(table(tmp_path, *rows), DE_EN)
    assert len(found.records) == 2
    assert found.dropped == {"segment without source": 1}
    assert "1 segments without a source (line 7)" in found.doubts[0]


def test_a_further_column_and_rows_that_lack_two_are_read(tmp_path: Path) -> None:
    comment = table(tmp_path, *(f"{row}\tgood" for row in ROWS), header=f"{HEADER}\tcomment")
    assert len(mqm.read(comment, DE_EN).records) == 2
    short = "Human-A.0\tnews.1\t16\tJa.\tYes<v> </v>.\tSource error\tMinor\t"
    (one,) = mqm.read(table(tmp_path, short), DE_EN).records
    assert one.translations[0].errors == (TranslationError("Source error", "Minor", 3, 4),)


def test_rows_without_a_rater_are_told_and_count_as_no_further_one(tmp_path: Path) -> None:
    named = mqm.read(table(tmp_path, *ROWS), DE_EN)
    more = ROWS[2].replace("\tr2\t", "\t\t")
    mixed = mqm.read(table(tmp_path, *ROWS, more), DE_EN)
    assert mixed.records[0].translations[0].score == pytest.approx(-(5.1 + 1 + 1) / 2)
    assert "1 of 6 rows name no rater (line 7)" in mixed.doubts[0]
    nobody = mqm.read(
        table(tmp_path, *(row.replace("\tr1\t", "\t\t").replace("\tr2\t", "\t\t") for row in ROWS)), DE_EN
    )
    assert nobody.records[0].translations[0].score == pytest.approx(-(5.1 + 1))
    assert "5 of 5 rows name no rater" in nobody.doubts[0]
    assert not named.doubts


def test_quotes_are_those_of_csv_only_where_all_are(tmp_path: Path) -> None:
    bare = ROWS[3].replace("Der Hund schläft.", '"Der Hund" schläft.').replace("The dog sleeps.", 'The "dog" sleeps.')
    assert mqm.read(table(tmp_path, bare), DE_EN).records[0].translations[0].text == 'The "dog" sleeps.'
    quoted = ROWS[3].replace("The dog sleeps.", '"The ""dog"" sleeps."')
    assert mqm.read(table(tmp_path, quoted), DE_EN).records[0].translations[0].text == 'The "dog" sleeps.'


@pytest.fixture(scope="module")
def published(real_data: Path) -> Path:
    return real_data / "prior_systems" / "parrot" / "mqm"


def scores(path: Path) -> Iterator[tuple[str, int, float]]:
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        system, _, rest = line.partition("\t")
        score, _, segment = rest.partition(" ")
        if score != "None":
            yield system, int(segment), float(score)


@pytest.mark.parametrize(("name", "languages"), [("ende", ("en", "de")), ("zhen", ("zh", "en"))])
def test_scores_are_those_that_were_published(name: str, languages: tuple[str, str], published: Path) -> None:
    found = mqm.read(published / f"mqm_ted_{name}.tsv", languages)
    ours: dict[str, list[float]] = {}
    for rated in found.records:
        for one in rated.translations:
            ours.setdefault(one.system.replace("ref", "ref-A" if one.system == "ref" else "ref-"), []).append(one.score)
    theirs: dict[str, list[float]] = {}
    for system, _, score in scores(published / f"mqm_ted_{name}.avg_seg_scores.tsv"):
        theirs.setdefault(system, []).append(score)
    assert set(ours) == set(theirs)
    for system, some in theirs.items():
        assert sorted(ours[system]) == pytest.approx(sorted(some), abs=1e-4), system


def test_errors_in_sources_are_read_though_their_table_lacks_two_columns(published: Path) -> None:
    found = mqm.read(published / "mqm_newstest2020_zhen.source-errors.tsv", ("zh", "en"))
    errors = [error for rated in found.records for one in rated.translations for error in one.errors]
    assert {error.category for error in errors} == {"Source error"}
    assert sum(map(_marked, found.records)) > 150


def _marked(rated: Rated) -> int:
    return sum(error.start is not None for one in rated.translations for error in one.errors)
