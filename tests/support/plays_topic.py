"""The table `plays` of a topic, and what tests of the journal send to it."""

import json
import shutil

from playhead_lake import equal
from small_project import make_project

SMALL_SEGMENTS = {"PLAYHEAD_JOURNAL_SEGMENT_BYTES_MAX": str(1 << 20)}

PLAYS = """
- name: plays
  config:
    meta:
      playhead:
        topic: {topic}
        format: json
  columns:
    - name: id
      data_type: BIGINT
"""


def declare(lake, topic, more=""):
    """Makes the lake's project anew: `plays`, and the tables of `more`."""
    folder = lake.folder / "project"
    shutil.rmtree(folder, ignore_errors=True)
    lake.project = make_project(folder, PLAYS.format(topic=topic) + more)


def body(first, end, filler=0):
    return "\n".join(json.dumps({"id": i, "filler": "f" * filler}) for i in range(first, end)).encode()


def send(lake, first, end, filler=0):
    status, answer = lake.post("plays", body(first, end, filler))
    equal("status", status, 200)
    return answer
