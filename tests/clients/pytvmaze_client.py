"""Asks a TVmaze API with pytvmaze, and prints what it gets."""

import json
import sys

from pytvmaze import endpoints, exceptions, tvmaze

base_url, sample = sys.argv[1], json.loads(sys.argv[2])
for name, url in list(vars(endpoints).items()):
    if isinstance(url, str):
        setattr(endpoints, name, url.replace("http://api.tvmaze.com", base_url))
show = sample["id"]


def call(method, *arguments, **options):
    try:
        return method(*arguments, **options)
    except exceptions.BaseError as error:
        return type(error).__name__


def plain(thing):
    """A show has its seasons, which have their show."""
    fields = vars(thing).items()
    return {key: value for key, value in fields if key not in ("show", "seasons") and "__" not in key}


def numbers(show):
    return {number: sorted(season.episodes) for number, season in show.seasons.items()}


# The mirror holds no specials.
regular = [episode for episode in call(tvmaze.episode_list, show) if not episode.special]
people = call(tvmaze.show_cast, show)
updates = call(tvmaze.show_updates)
with_episodes = call(tvmaze.show_main_info, show, embed="episodes")
results = {
    "main info": call(tvmaze.show_main_info, show),
    "main info of unknown": call(tvmaze.show_main_info, 99999999),
    "with episodes": numbers(with_episodes),
    "with cast": [person.name for person in call(tvmaze.show_main_info, show, embed="cast").cast.people],
    "with next episode": call(tvmaze.show_main_info, show, embed="nextepisode"),
    "single search": call(tvmaze.show_single_search, sample["name"], embed="episodes").name,
    "single search of unknown": call(tvmaze.show_single_search, "no such show"),
    "search": sample["name"] in [found.name for found in call(tvmaze.get_show_list, sample["name"])],
    "search of unknown": call(tvmaze.get_show_list, "no such show"),
    "lookup": call(tvmaze.lookup_imdb, sample["imdb"]),
    "lookup of unknown": call(tvmaze.lookup_tvdb, 4294967295),
    "episodes": regular,
    "episode": call(tvmaze.episode_by_id, sample["episode"]),
    "unknown episode": call(tvmaze.episode_by_id, 4294967295),
    "episode by number": call(tvmaze.episode_by_number, show, sample["season"], sample["number"]),
    "episodes by date": call(tvmaze.episodes_by_date, show, sample["date"]),
    "episodes by other date": call(tvmaze.episodes_by_date, show, "1900-01-01"),
    "cast": [[person.name, person.character.name] for person in people.people],
    "index": call(tvmaze.show_index, 0),
    "index past the end": call(tvmaze.show_index, 9999),
    "updates": {update.maze_id: update.seconds_since_epoch for update in updates},
    "seasons": sorted(call(tvmaze.show_seasons, show)),
    "schedule": sample["episode"] in [
        episode.maze_id for episode in call(tvmaze.get_schedule, sample["country"], sample["date"])
    ],
    "crew": call(tvmaze.get_show_crew, show),
    "akas": call(tvmaze.show_akas, show),
    "person": call(tvmaze.person_main_info, 1),
    "people": call(tvmaze.get_people, "no one"),
    "cast credits": call(tvmaze.person_cast_credits, 1),
}
print(json.dumps(results, default=plain, indent=1))
