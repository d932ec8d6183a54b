// The HTTP client for the service's API.

import { authorizationHeader, promptForToken } from "./api_token.js";
import { connection } from "./connection.js";

// An error response from the service.
export class ApiError extends Error {
  constructor({ detail }, status) {
    super(detail);
    this.status = status;
  }

  // Whether the same request may succeed later.
  get isTransient() {
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

// No response, or one from something other than the service, such as a proxy.
export class NetworkError extends Error {
  constructor() {
    super("The service is not responding.");
  }
}

export async function request(path, options = {}) {
  const response = await send(path, options);
  const body = await response.json().catch(() => null);
  if (body === null) {
    options.signal?.throwIfAborted();
    throw networkError();
  }
  connection.markOnline();
  if (!response.ok) throw new ApiError(body, response.status);
  return body;
}

// Returns null for a 404 response.
export async function requestOrNull(path, options) {
  try {
    return await request(path, options);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

// Sends a POST request. Prompts for the API token if the service requires one.
export async function post(path) {
  const headers = authorizationHeader();
  try {
    return await request(path, { method: "POST", headers });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    if (!await promptForToken({ isRejected: "Authorization" in headers })) throw new Error("An API token is required.", { cause: error });
    return post(path);
  }
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw networkError();
  }
}

function networkError() {
  connection.markOffline();
  return new NetworkError();
}
