"""Ten ways in which a `media_events` record can be bad or odd, and what must become of each."""

import json

BIG_BYTES = 10_000_000


def _with(event, **fields):
    return json.dumps({**event, **fields}, ensure_ascii=False).encode()


def _truncated(event, number):
    line = json.dumps(event).encode()
    return line[:len(line) // 4 + number * 7 % (len(line) // 2)]


def _not_utf8(event, number):
    bad = (b"\xff\xfe", b"\xc3(", b"\xe2\x82", b"\xed\xa0\x80")[number % 4]
    return _with(event, title="@@").replace(b"@@", b"Caf" + bad + b"!")


def _wrong_type(event, number):
    return _with(event, **({"duration_seconds": "soon"}, {"duration_seconds": 1.5}, {"genre": "drama"},
                           {"timestamp": "yesterday"}, {"current_timestamp": [1]})[number % 5])


def _big(event, number):
    text = (f"{number:09} " * (BIG_BYTES // 10))[:BIG_BYTES]
    return _with(event, **{"title" if number % 2 else "note": text})


def _empty(event, number):
    return (b"{}", b'{"event_id":""}', b"{ }", b'""')[number % 4]


def _null(event, number):
    return b"null" if number % 2 else _with(event, event_id=None)


def _deep(event, number):
    nested = b"[" * 1000 + b"]" * 1000 if number % 2 else b'{"a":' * 1000 + b"1" + b"}" * 1000
    return _with(event, note="@@").replace(b'"@@"', nested)


def _duplicate(event, number):
    return _with(event)[:-1] + (b',"user_id":"again"}', b',"event_id":null}')[number % 2]


def _unknown(event, number):
    return _with(event, player={"build": number, "tags": ["a", None]}, bitrate_kbps=1.50)


def _out_of_range(event, number):
    return _with(event, **({"timestamp": "1999-12-31T23:59:59Z"}, {"timestamp": "2999-01-01T00:00:00Z"},
                           {"timestamp": "2024-02-30T00:00:00Z"}, {"duration_seconds": 2**63},
                           {"timestamp": 10**17})[number % 5])


# Name: the bytes from a sound event, and the reasons of the dead letters; none: the record is good.
KINDS = {
    "truncated": (_truncated, {"not_json"}),
    "not_utf8": (_not_utf8, {"not_utf8"}),
    "wrong_type": (_wrong_type, {"wrong_type"}),
    "big": (_big, None),
    "empty": (_empty, {"missing_field", "not_an_object"}),
    "null": (_null, {"missing_field", "not_an_object"}),
    "deep": (_deep, {"too_deep"}),
    "duplicate": (_duplicate, {"duplicate_key"}),
    "unknown": (_unknown, None),
    "out_of_range": (_out_of_range, {"out_of_range"}),
}


def spoil(events, kinds, every=20):
    """Yields (kind or None, line): of each `every` events one of each kind, the others as they are."""
    names = list(kinds)
    for position, line in enumerate(events):
        place = position % every
        if place % 2 or place // 2 >= len(names):
            yield None, line
        else:
            kind = names[place // 2]
            yield kind, KINDS[kind][0](json.loads(line), position // every)
