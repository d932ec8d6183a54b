// Asks a TVmaze API with node-tvmaze and tvmaze-api-ts, and prints what they get. The folder with the packages is the
// first argument.

const fs = require("node:fs");
const Module = require("node:module");

const [folder, baseUrl, json] = process.argv.slice(2);
const sample = JSON.parse(json);

// The addresses are constants of the packages.
const load = Module._extensions[".js"];
Module._extensions[".js"] = (module, file) => {
  if (!/node_modules\/(node-tvmaze|tvmaze-api-ts)\/index\.js$/.test(file)) {
    return load(module, file);
  }
  const source = fs.readFileSync(file, "utf8");
  const redirected = source
    .replaceAll("https://api.tvmaze.com", baseUrl)
    .replaceAll("'api.tvmaze.com/'", `'${baseUrl.replace("http://", "")}/'`);
  module._compile(redirected, file);
};
const requireFromFolder = Module.createRequire(`${folder}/`);
const nodeTvmaze = requireFromFolder("node-tvmaze");
const { tvmaze } = requireFromFolder("tvmaze-api-ts");

/** The response, or the status of the error. The messages may differ. */
const call = async (promise) => {
  const body = await promise.catch((error) => error);
  return body && body.status && body.name && !body.id ? body.status : body;
};
const names = (found) => found.map(({ show }) => show.name).includes(sample.name);
const ids = (episodes) => episodes.map(({ id }) => id).includes(sample.episode);
const dates = (seasons) => seasons.map(({ number, premiereDate, endDate }) => [number, premiereDate, endDate]);
const http = { https: false };
const show = sample.id;

const main = async () => {
  const results = {
    "node-tvmaze": {
      show: await call(nodeTvmaze.show(show, undefined, http)),
      "show with embeds": await call(nodeTvmaze.show(show, ["episodes", "cast"], http)),
      "unknown show": await call(nodeTvmaze.show(99999999, undefined, http)),
      search: names(await call(nodeTvmaze.search(sample.name, http))),
      "single search": (await call(nodeTvmaze.singleSearch(sample.name, ["episodes"], http))).name,
      lookup: await call(nodeTvmaze.lookupImdb(sample.imdb, http)),
      updates: await call(nodeTvmaze.showUpdates(http)),
      person: await call(nodeTvmaze.person(1, ["castcredits"], http)),
    },
    "tvmaze-api-ts": {
      show: await call(tvmaze.shows.get(show)),
      "show with embed": await call(tvmaze.shows.get(show, "nextepisode")),
      "show with embeds": await call(tvmaze.shows.get(show, ["cast", "previousepisode"])),
      "unknown embed": await call(tvmaze.shows.get(show, "weather")),
      search: names(await call(tvmaze.search.shows(encodeURIComponent(sample.name)))),
      "search of people": await call(tvmaze.search.people("no one")),
      "single search": (await call(tvmaze.singleSearch.shows(encodeURIComponent(sample.name)))).name,
      lookup: await call(tvmaze.lookup.imdb(sample.imdb)),
      "lookup of unknown": await call(tvmaze.lookup.thetvdb(4294967295)),
      episodes: await call(tvmaze.shows.episodes(show)),
      "episode by number": await call(tvmaze.shows.episodebynumber(show, sample.season, sample.number)),
      "episodes by date": await call(tvmaze.shows.episodesbydate(show, sample.date)),
      seasons: dates(await call(tvmaze.shows.seasons(show))),
      cast: await call(tvmaze.shows.cast(show)),
      crew: await call(tvmaze.shows.crew(show)),
      page: await call(tvmaze.shows.page(1)),
      "page past the end": await call(tvmaze.shows.page(9999)),
      updates: await call(tvmaze.shows.updates()),
      person: await call(tvmaze.people.get(1)),
      schedule: ids(await call(tvmaze.schedule(sample.country, sample.date))),
    },
  };
  console.log(JSON.stringify(results, null, 1));
};

main();
