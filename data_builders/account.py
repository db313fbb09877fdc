"""What a build has to tell its user: tallies by source, counts, notes."""

import collections
import dataclasses
import json
from typing import Any

from ecgmae_jax.records.tally import Tally


@dataclasses.dataclass
class Account:
    """The account of one chunk of work; accounts of several chunks add up.

    Attributes:
        tallies: what was read, cut and refused, by source.
        counts: numbers of recordings by a fact worth knowing, such as "at 100 Hz".
        notes: remarks of one line.
        digest: of all examples, in whatever order they were made.
    """

    tallies: dict[str, Tally] = dataclasses.field(default_factory=dict)
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    notes: list[str] = dataclasses.field(default_factory=list)
    digest: int = 0

    def of(self, source: str) -> Tally:
        """The source's tally, to be added to."""
        return self.tallies.setdefault(source, Tally())

    def add_digest(self, digest: int) -> None:
        """Counts one more example in; `digest` of 256 bits."""
        self.digest = (self.digest + digest) % 2**256

    def __add__(self, other: "Account") -> "Account":
        tallies = dict(self.tallies)
        for source, tally in other.tallies.items():
            tallies[source] = tallies.get(source, Tally()) + tally
        digest = (self.digest + other.digest) % 2**256
        return Account(tallies, self.counts + other.counts, self.notes + other.notes, digest)

    def total(self) -> Tally:
        """One tally of all sources."""
        return sum(self.tallies.values(), Tally())

    def lines(self) -> list[str]:
        """The account for people; the last line is the total."""
        sources = sorted(self.tallies) if len(self.tallies) > 1 else []
        by_source = [f"{source}: {self.tallies[source].summary()}" for source in sources]
        counts = ", ".join(f"{number} {fact}" for fact, number in sorted(self.counts.items()))
        return [*self.notes, *by_source, *([counts] if counts else []), self.total().summary()]

    def as_dict(self) -> dict[str, Any]:
        """The account without names of records, for the metadata."""
        return {
            "tally": self.total().as_dict(),
            "sources": {source: tally.as_dict() for source, tally in sorted(self.tallies.items())},
            "counts": dict(sorted(self.counts.items())),
            "notes": self.notes,
        }


def to_json(account: Account) -> str:
    """The account as text, to be carried between machines."""
    tallies = {source: dataclasses.asdict(tally) for source, tally in account.tallies.items()}
    others = {"counts": account.counts, "notes": account.notes, "digest": account.digest}
    return json.dumps({"tallies": tallies} | others)


def from_json(text: str) -> Account:
    """The account that `to_json` wrote."""
    fields = json.loads(text)
    tallies = {
        source: Tally(**{**tally, "rejections": [tuple(row) for row in tally["rejections"]]})
        for source, tally in fields["tallies"].items()
    }
    counts = collections.Counter(fields["counts"])
    return Account(tallies, counts, fields["notes"], fields["digest"])
