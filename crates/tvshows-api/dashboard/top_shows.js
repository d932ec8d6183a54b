// The top shows, and stored casts.

import { request, requestOrNull } from "./api_client.js";

// The maximum of `top` in an update.
const MAX_TOP_SHOWS = 1000;

export const fetchTopShows = (signal) => request(`shows/top_shows?limit=${MAX_TOP_SHOWS}`, { signal });

// Null if it is not stored.
export const fetchCast = (id, signal) => requestOrNull(`shows/${id}/cast`, { signal });
