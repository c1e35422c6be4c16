"""Write the pairs kept for testing as a judged collection that `jiqiao evaluate` measures.

    python -m models.training.knowledge_collection FOLDER

Queries are the demands of the sub-topics kept for testing; the corpus are all supplies and all distractors of all
fields. The supply of a demand's own pair is grade 4, its distractor grade 1; whatever else answers it is not known.
"""

import argparse
import json
from pathlib import Path

from models.training.knowledge import FIELDS, Pair, read_pairs, read_topics

ANSWER, DISTRACTOR = 4, 1


def write_collection(folder: Path) -> tuple[int, int]:
    """Write the collection in BEIR layout; return how many queries and documents it has."""
    tests = {topic.code for field in FIELDS for topic in read_topics(field) if topic.is_test}
    numbered = [(f"{field}-{number:03d}", pair) for field in FIELDS for number, pair in enumerate(read_pairs(field))]
    asked = [(key, pair) for key, pair in numbered if pair.topic in tests]
    folder.mkdir(parents=True, exist_ok=True)
    documents = [_entry(f"{side[0]}-{key}", pair, side) for key, pair in numbered for side in ("supply", "distractor")]
    queries = [_entry(key, pair, "demand") for key, pair in asked]
    judgements = [line for key, _ in asked for line in (f"{key}\ts-{key}\t{ANSWER}", f"{key}\td-{key}\t{DISTRACTOR}")]
    (folder / "corpus.jsonl").write_text("".join(documents), encoding="utf-8")
    (folder / "queries.jsonl").write_text("".join(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judgements, ""]), encoding="utf-8")
    return len(queries), len(documents)


def _entry(key: str, pair: Pair, side: str) -> str:
    entry = {"_id": key, "title": getattr(pair, f"{side}_title"), "text": getattr(pair, side)}
    return json.dumps(entry, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    queries, documents = write_collection(parser.parse_args().folder)
    print(f"{queries} queries, {documents} documents")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
