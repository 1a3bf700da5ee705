"""The catalogue: what it says, and downloads from a server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.catalog import Entry, File, Part
from dragoman.errors import DataError

TEXT = b"Ja.\n" * 100_000
GLOBAL_MMLU = ("ar", "de", "el", "es", "fr", "hi", "it", "ja", "ko", "pt", "ru", "tr", "vi", "zh")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; a file named cut.* ends in the middle, one named endless.* never."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "cut." in self.path:
            self.send_response(200)
            self.send_header("Content-Length", str(len(TEXT)))
            self.end_headers()
            self.wfile.write(TEXT[:1000])
        elif "endless." in self.path:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):  # until the other side has had enough
                while True:
                    self.wfile.write(TEXT)
        else:
            super().do_GET()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Entry, list[str]]]:
    """A corpus on a server: (entry, requests so far)."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a b.de").write_bytes(TEXT)
    (folder / "other.de").write_bytes(b"changed\n")
    asked: list[str] = []
    handler = type("Here", (Handler,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    file = File(len(TEXT), hashlib.sha256(TEXT).hexdigest())
    paths = ("a b.de", "other.de", "cut.de", "gone.de")
    entry = Entry(
        "toy", "…", "none", "…", f"http://127.0.0.1:{server.server_port}", "toy-folder", (), dict.fromkeys(paths, file)
    )
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield entry, asked
    server.shutdown()
    server.server_close()
    thread.join()


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_download_once(served: tuple[Entry, list[str]], tmp_path: Path) -> None:
    entry, asked = served
    path = catalog.local(entry, "a b.de")
    assert path == tmp_path / "cache" / "corpora" / "toy-folder" / "a b.de"
    assert path.read_bytes() == TEXT
    assert catalog.local(entry, "a b.de") == path
    assert asked == ["/a%20b.de"]
    assert left(tmp_path / "cache") == ["a b.de"]  # and nothing half done beside it


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("other.de", r"other\.de gave other bytes .*\(8 bytes\) instead of .*\(400,000 bytes\)"),
        ("cut.de", r"cut\.de (gave other bytes .*the download was cut off; run again|could not be downloaded)"),
        ("gone.de", r"gone\.de could not be downloaded \(HTTP Error 404.*put the file at .*gone\.de yourself"),
    ],
)
def test_downloads_that_fail_leave_nothing(
    served: tuple[Entry, list[str]], tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        catalog.local(served[0], name)
    assert left(tmp_path / "cache") == []


def test_damaged_file_in_the_cache(served: tuple[Entry, list[str]]) -> None:
    entry, _ = served
    path = catalog.local(entry, "a b.de")
    path.write_bytes(TEXT[:-1] + b"!")
    good, bad = hashlib.sha256(TEXT).hexdigest(), hashlib.sha256(TEXT[:-1] + b"!").hexdigest()
    with pytest.raises(DataError, match=f"a b.de is not the file .*sha256 is {bad} .*should be {good} .*Delete it"):
        catalog.local(entry, "a b.de")


def test_mirror_comes_first_and_is_verified(
    served: tuple[Entry, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, asked = served
    mirror = tmp_path / "mirror"
    (mirror / "toy-folder").mkdir(parents=True)
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    (mirror / "toy-folder" / "other.de").write_bytes(TEXT)
    assert catalog.local(entry, "other.de") == mirror / "toy-folder" / "other.de"
    assert asked == []
    (mirror / "toy-folder" / "other.de").write_bytes(b"changed\n")
    with pytest.raises(DataError, match=r"mirror.*is not the file that the catalogue describes"):
        catalog.local(entry, "other.de")
    assert catalog.local(entry, "a b.de").is_relative_to(tmp_path / "cache")  # which the mirror has not


def test_mirror_that_is_not_there(
    served: tuple[Entry, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"DRAGOMAN_MIRROR names .*none, and there is no such folder"):
        catalog.local(served[0], "a b.de")


def test_a_file_without_checksum_is_taken_and_said(
    served: tuple[Entry, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, _ = served
    bare = Entry("toy", "…", "none", "…", entry.address, "toy-folder", (), dict.fromkeys(entry.files, File()))
    assert catalog.local(bare, "other.de").read_bytes() == b"changed\n"
    said = capsys.readouterr().err
    assert "other.de could not be checked: the catalogue has no checksum of it" in said
    assert hashlib.sha256(b"changed\n").hexdigest() in said
    with pytest.raises(DataError, match=r"cut\.de (was cut off: 1,000 of 400,000 bytes|could not be downloaded)"):
        catalog.local(bare, "cut.de")
    assert left(tmp_path / "cache") == ["other.de"]


def test_a_size_is_checked_where_no_checksum_is_known(
    served: tuple[Entry, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, _ = served
    sized = Entry("toy", "…", "none", "…", entry.address, "toy-folder", (), dict.fromkeys(entry.files, File(8)))
    assert catalog.local(sized, "other.de").read_bytes() == b"changed\n"
    mirror = tmp_path / "mirror"
    (mirror / "toy-folder").mkdir(parents=True)
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(mirror))
    (mirror / "toy-folder" / "other.de").write_bytes(b"chan")
    with pytest.raises(DataError, match=r"mirror.*other\.de is not the file .*: it has 4 bytes and should have 8\."):
        catalog.local(sized, "other.de")
    larger = Entry("toy", "…", "none", "…", entry.address, "larger", (), dict.fromkeys(entry.files, File(9)))
    with pytest.raises(DataError, match=r"other\.de gave 8 bytes, and the catalogue describes a file of 9\."):
        catalog.local(larger, "other.de")
    assert left(tmp_path / "cache" / "corpora" / "larger") == []


@pytest.mark.parametrize("checksum", [None, "0" * 64])
def test_a_download_stops_at_the_size_that_is_stated(
    served: tuple[Entry, list[str]], tmp_path: Path, checksum: str | None
) -> None:
    """The server sends a terabyte, as far as it announces."""
    entry, _ = served
    file = File(1000, checksum)
    small = Entry("toy", "…", "none", "…", entry.address, "toy-folder", (), {"endless.de": file})
    with pytest.raises(DataError, match=r"endless\.de gives more than the 1,000 bytes that the catalogue describes"):
        catalog.local(small, "endless.de")
    assert left(tmp_path / "cache") == []


def test_a_role_that_a_corpus_does_not_play() -> None:
    with pytest.raises(DataError, match="corpus 'alpaca' has no train part; it has dialogues"):
        catalog.parallel_text("alpaca", "train")
    with pytest.raises(DataError, match="corpus 'wmt22' has no dialogues part; it has test"):
        catalog.find("wmt22").of("dialogues")


def test_nobody_there(served: tuple[Entry, list[str]], tmp_path: Path) -> None:
    entry, _ = served
    away = Entry("toy", "…", "none", "…", "http://127.0.0.1:9", "toy-folder", (), entry.files)
    with pytest.raises(DataError, match=r"could not be downloaded .*Check the network and run again"):
        catalog.local(away, "a b.de")
    assert left(tmp_path / "cache") == []


def test_offline(served: tuple[Entry, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry, asked = served
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path))
    with pytest.raises(DataError) as error:
        catalog.local(entry, "a b.de")
    for part in ("HF_HUB_OFFLINE", f"{entry.address}/a%20b.de", str(tmp_path / "cache"), "toy-folder/a b.de"):
        assert part in str(error.value)
    assert asked == []


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    assert catalog.cache_folder() == tmp_path
    monkeypatch.delenv("DRAGOMAN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert catalog.cache_folder() == tmp_path / ".cache" / "dragoman"


def test_entries_are_whole() -> None:
    for name, entry in catalog.catalogue().items():
        assert entry.name == name
        assert entry.licence
        assert entry.address.startswith("https://") or (catalog.PACKAGE / entry.folder).is_dir()
        used = {path for part in entry.parts for path in part.paths}
        assert used == set(entry.files)
        assert all(len(file.sha256) == 64 and file.size != 0 for file in entry.files.values() if file.sha256)
        assert entry.unchecked == tuple(path for path, file in entry.files.items() if file.sha256 is None)


def test_which_files_are_not_checked_is_known() -> None:
    """Only those of which neither a copy nor a published checksum was at hand."""
    unchecked = {name: entry.unchecked for name, entry in catalog.catalogue().items() if entry.unchecked}
    assert unchecked == {
        "alpaca": ("alpaca_data.json",),
        "alpaca-zh": ("data/alpaca-tw.json",),
        "alpaca-ar": ("data/train-00000-of-00001-10520e8228c2c104.parquet",),
        "alpaca-it": ("data/camoscio_data.json",),
        "alpaca-es": ("alpaca_data_cleaned_spanish.json",),
        "alpaca-de": ("translated/tanslated_tasks_de_google_52k.json",),
        "alpaca-hi": ("data/train-00000-of-00001-9c3cdcdad5ba72d6.parquet",),
        "alpaca-tr": ("alpaca_data_tr.json",),
        "alpaca-el": ("data/train-00000-of-00001-b20932918f4eb892.parquet",),
        "magicoder-oss-instruct": ("data-oss_instruct-decontaminated.jsonl",),
        "magicoder-evol-instruct": ("data-evol_instruct-decontaminated.jsonl",),
        "mqm-newstest2020": tuple(catalog.find("mqm-newstest2020").files),
        "news-commentary-v16": tuple(catalog.find("news-commentary-v16").files),
        "news-commentary-v18": tuple(catalog.find("news-commentary-v18").files),
        "global-mmlu": tuple(f"{code}/test-00000-of-00001.parquet" for code in GLOBAL_MMLU),
    }
    assert catalog.find("alpaca").size is None
    assert catalog.find("dolly").size == 13_085_339


def test_wmt22_has_the_references_of_the_paper() -> None:
    parts = catalog.find("wmt22").parts
    sets = {part.direction: part.references for part in parts}
    assert sets == {
        "cs-en": "B", "en-cs": "B", "de-en": "A", "en-de": "A", "ru-en": "A", "en-ru": "A", "zh-en": "A", "en-zh": "A"
    }  # fmt: skip
    assert all(f".ref.{part.references}." in str(part.target) for part in parts)
    assert {part.role for part in parts} == {"test"}


def test_test_sets_have_their_directions() -> None:
    """Out of English and into it; one reference set in WMT23, whose Czech was translated from English alone."""
    both = ["ar", "cs", "de", "es", "fr", "is", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"]
    wanted = tuple(way for code in both for way in (f"en-{code}", f"{code}-en"))
    for name, records, documents in (("ntrex", 1997, "DOCUMENT_IDS.tsv"), ("flores200", 1012, "metadata_devtest.tsv")):
        entry = catalog.find(name)
        assert entry.directions("test") == wanted
        assert {(part.role, part.records, part.documents) for part in entry.parts} == {("test", records, documents)}
    entry = catalog.find("wmt23")
    assert {part.references for part in entry.parts} == {"A"}
    assert set(entry.directions("test")) == {
        "de-en", "en-de", "en-cs", "zh-en", "en-zh", "ru-en", "en-ru", "ja-en", "en-ja", "uk-en", "en-uk", "cs-uk"
    }  # fmt: skip
    assert all(".refA." in str(part.target) for part in entry.parts)


def test_what_has_seen_a_test_set() -> None:
    (corpus,) = catalog.seen_before("flores200", ["own", "alma-human", "alma-human"])
    assert corpus.startswith(
        "alma-human has FLORES-200, dev and devtest, in English, Czech, German, Russian and Chinese"
    )
    assert catalog.seen_before("flores200", ["alma"]) == ["ALMA was trained on FLORES-200, dev and devtest"]
    assert catalog.seen_before("wmt23", ["alma-human", "alma", "tower"]) == []
    assert catalog.seen_before("lab", ["alma-human"]) == []
    known = {*catalog.catalogue(), "alma", "tower"}
    assert all(set(entry.contained_in) <= known for entry in catalog.catalogue().values())


def test_news_commentary_is_for_training_and_goes_either_way() -> None:
    entry = catalog.find("news-commentary")
    assert entry.directions("train")[:6] == ("ar-en", "en-ar", "cs-en", "en-cs", "de-en", "en-de")
    assert {part.role for part in entry.parts} == {"train"}
    addresses = {part.table for part in entry.parts if "it" in part.direction or "zh" in part.direction}
    assert addresses == {"en-it.txt.zip", "en-zh.txt.zip"}  # languages in alphabetical order
    assert entry.address == "https://object.pouta.csc.fi/OPUS-News-Commentary/v11/moses"
    assert entry.unchecked == ()


def test_only_the_files_that_serve(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    (text,) = catalog.parallel_text("alma-human", "train", ("en-de",))
    assert text.direction == "de-en"
    assert [path.name for path in text.paths] == ["train.de-en.de", "train.de-en.en"]


def test_every_file_of_the_catalogue(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are in the mirror have the checksums of the catalogue; only large instruction data is not there."""
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    missing = set()
    for name, entry in catalog.catalogue().items():
        for path, file in entry.files.items():
            if (real_data / entry.folder / path).exists():
                assert catalog.local(entry, path).stat().st_size == file.size
            else:
                missing.add(name)
    translations = {f"alpaca-{language}" for language in ("zh", "ar", "it", "es", "de", "ru", "hi", "tr", "vi", "el")}
    others = {"alpaca", "dolly", "magicoder-oss-instruct", "magicoder-evol-instruct", "mlqa", "xquad"}
    others |= {"news-commentary", "news-commentary-v16", "news-commentary-v18"}
    others |= {"mmlu", "global-mmlu", "bbh", "crossalpaca-bbh"}  # of the last two only some tasks are there
    others |= {"wmt23", "ntrex", "flores200"}  # only some languages
    others |= {"xstest", "mqm-newstest2020"}
    others |= {"everyday", "requests"}  # which come with the package
    assert missing == others | translations


def test_unknown_name() -> None:
    with pytest.raises(DataError, match=r"no corpus 'alma-humans' .*Did you mean 'alma-human'\?.*wmt22"):
        catalog.find("alma-humans")


def test_part_paths() -> None:
    assert Part("train", "de-en", source="a", target="b").paths == ("a", "b")
    assert Part("train", "de-en", table="c").paths == ("c",)
