// The top shows, which are the only shows with a stored cast.

import { request, requestOrNull } from "./api_client.js";

// The maximum of `top` in an update.
const MAX_TOP_SHOWS = 1000;

export const fetchTopShows = (signal) => request(`shows/top_shows?limit=${MAX_TOP_SHOWS}`, { signal });

// Empty if TVmaze lists no cast.
export const fetchCast = async (id, signal) => await requestOrNull(`shows/${id}/cast`, { signal }) ?? [];
