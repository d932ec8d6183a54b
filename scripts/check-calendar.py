#!/usr/bin/env python3
"""Checks /calendar.ics of a running service: two libraries parse it, and it has the episodes of /schedule, each once.

How to run it: `make calendar`, or with the URL of the service as the argument.
"""

import datetime
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import icalendar
import vobject

FILTERS = [{}, {"language": "English", "status": "Running"}, {"q": "the", "min_rating": "5"}, {"genre": "Nonsense"}]


def get(url, **headers):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers))


def schedule(service, filters, first, last):
    """The episodes from one day to another, by id."""
    episodes = {}
    while first <= last:
        days = min(31, (last - first).days + 1)
        query = urllib.parse.urlencode({**filters, "date": first, "days": days})
        with get(f"{service}/schedule?{query}") as response:
            episodes |= {episode["id"]: episode for episode in json.load(response)}
        first += datetime.timedelta(days)
    return episodes


def check_event(event, episode):
    show = episode["show"]
    start = event["DTSTART"].dt
    if episode["airtime"]:
        assert start == datetime.datetime.fromisoformat(episode["airstamp"]), episode
        assert start.tzinfo is not None
        runtime = episode["runtime"] or show["averageRuntime"] or show["runtime"]
        if runtime:
            assert event["DTEND"].dt - start == datetime.timedelta(minutes=runtime), episode
    else:
        assert start == datetime.date.fromisoformat(episode["airdate"]), episode
    number = f" {episode['season']}x{episode['number']:02}" if episode["number"] is not None else ""
    assert str(event["SUMMARY"]) == f"{show['name']}{number}: {episode['name']}", event["SUMMARY"]
    assert str(event["URL"]) == episode["url"]
    assert episode["url"] in str(event["DESCRIPTION"]) and "<p>" not in str(event["DESCRIPTION"])
    if show["genres"]:
        assert [str(genre) for genre in event["CATEGORIES"].cats] == show["genres"]


def check(service, filters):
    url = f"{service}/calendar.ics?{urllib.parse.urlencode(filters)}"
    today = datetime.datetime.now(datetime.UTC).date()
    with get(url) as response:
        body, tag = response.read(), response.headers["ETag"]
        assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = body.split(b"\r\n")
    assert lines[-1] == b"" and all(len(line) <= 75 and b"\n" not in line for line in lines)
    try:
        get(url, **{"If-None-Match": tag})
        raise AssertionError("the tag is ignored")
    except urllib.error.HTTPError as error:
        assert error.code == 304

    calendar = icalendar.Calendar.from_ical(body)
    assert calendar["X-WR-CALNAME"] and calendar["REFRESH-INTERVAL"] and "TVmaze" in calendar["DESCRIPTION"]
    events = calendar.walk("VEVENT")
    # With an error in a property, the library has no event or a list of errors.
    assert not any(component.errors for component in [calendar, *events])
    expected = schedule(service, filters, today - datetime.timedelta(30), today + datetime.timedelta(400))
    by_id = {int(str(event["UID"]).removeprefix("episode-").split("@")[0]): event for event in events}
    assert len(by_id) == len(events), "an episode has two events"
    assert by_id.keys() == expected.keys(), by_id.keys() ^ expected.keys()
    for id, event in by_id.items():
        check_event(event, expected[id])
    second = vobject.readOne(body.decode())
    assert len(getattr(second, "vevent_list", [])) == len(events)
    # RFC 5545 requires a component, but there may be no episode.
    if events:
        second.validate(raiseException=True)
    return len(events)


if __name__ == "__main__":
    counts = [check(sys.argv[1], filters) for filters in FILTERS]
    assert counts[0] > 0, "there are no episodes"
    print("events:", *counts)
