// The API returns a show as TVmaze sent it, so any value can be missing or of an unexpected type.

const text = (value) => (typeof value === "string" ? value : null);
const number = (value) => (Number.isFinite(value) ? value : null);
const texts = (value) => (Array.isArray(value) ? value.filter((item) => typeof item === "string") : []);
const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : null);

// Returns the fields that the dashboard uses, each of its expected type or null; lists are empty instead.
export function checkedShow(show) {
  const schedule = object(show.schedule);
  return {
    id: show.id,
    name: text(show.name) || `Show ${show.id}`,
    type: text(show.type),
    language: text(show.language),
    genres: texts(show.genres),
    status: text(show.status),
    runtime: number(show.runtime),
    averageRuntime: number(show.averageRuntime),
    premiered: text(show.premiered),
    ended: text(show.ended),
    officialSite: text(show.officialSite),
    schedule: { days: texts(schedule?.days), time: text(schedule?.time) },
    rating: { average: number(object(show.rating)?.average) },
    weight: number(show.weight),
    network: channel(show.network),
    webChannel: channel(show.webChannel),
    image: { medium: text(object(show.image)?.medium) },
    summary: text(show.summary),
    updated: number(show.updated),
  };
}

// The same for an episode. Its `show` is as TVmaze sent it, and so are its texts.
export function checkedEpisode(episode) {
  return {
    id: episode.id,
    season: number(episode.season),
    number: number(episode.number),
    name: text(episode.name),
    airdate: text(episode.airdate),
    airtime: text(episode.airtime),
    rating: { average: number(object(episode.rating)?.average) },
    show: object(episode.show),
  };
}

function channel(value) {
  const name = text(object(value)?.name);
  const country = object(object(value)?.country);
  return name && { name, country: country && { name: text(country.name), timezone: text(country.timezone) } };
}
