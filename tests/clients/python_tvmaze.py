"""Asks a TVmaze API with python-tvmaze, and prints what it gets."""

import json
import sys

from tvmaze.api import Api
from tvmaze.expections import NotFound

base_url, sample = sys.argv[1], json.loads(sys.argv[2])
api = Api()
api.base_url = base_url
show = sample["id"]


def call(method, *arguments):
    try:
        return method(*arguments)
    except NotFound as error:
        return type(error).__name__


seasons = call(api.show.seasons, show)
results = {
    "list": call(api.show.list, 0),
    "list past the end": call(api.show.list, 9999),
    "get": call(api.show.get, show),
    "get unknown": call(api.show.get, 99999999),
    "get by name": call(api.show.get_by_name, sample["name"]).name,
    "get by unknown name": call(api.show.get_by_name, "no such show"),
    "search": sample["name"] in [found.name for found in call(api.search.shows, sample["name"])],
    "search nothing": call(api.search.shows, "no such show"),
    "lookup": call(api.search.lookup_show, "imdb", sample["imdb"]),
    "lookup unknown": call(api.search.lookup_show, "thetvdb", 4294967295),
    "episodes": call(api.show.episodes, show),
    "episode": call(api.episode.get, sample["episode"]),
    "unknown episode": call(api.episode.get, 4294967295),
    "episode by number": call(api.show.episode_by_number, show, sample["season"], sample["number"]),
    "episode by unknown number": call(api.show.episode_by_number, show, 999, 1),
    "episodes by date": call(api.show.episodes_by_date, show, sample["date"]),
    "seasons": [(season.number, season.premiereDate, season.endDate) for season in seasons],
    "cast": call(api.show.cast, show),
    "crew": call(api.show.crew, show),
    "akas": call(api.show.akas, show),
    "images": call(api.show.images, show),
    "person": call(api.people.get, 1),
    "cast credits": call(api.people.cast_credits, 1),
    "character": call(api.character.get, 1),
    "network": call(api.network.get, 1),
    "schedule": sample["episode"] in [
        episode.id for episode in call(api.schedule.filter, sample["country"], sample["date"])
    ],
}
print(json.dumps(results, default=vars, indent=1))
