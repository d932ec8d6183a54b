// Asks the service.

import { connection } from "./connection.js";
import { askForToken, authorization } from "./token.js";

// What the service refused, in its own sentence.
export class Refusal extends Error {
  constructor({ detail, code }, status) {
    super(detail);
    this.code = code;
    this.status = status;
  }
}

// No answer, or one of something that stands before the service.
export class Unreachable extends Error {
  constructor() {
    super("The service does not answer.");
  }
}

export async function ask(path, options = {}) {
  const response = await answer(path, options);
  const body = await response.json().catch(() => null);
  if (body === null) {
    options.signal?.throwIfAborted();
    throw unreachable();
  }
  connection.find();
  if (!response.ok) throw new Refusal(body, response.status);
  return body;
}

// As `ask`, and null where there is no such thing.
export async function askFor(path, options) {
  try {
    return await ask(path, options);
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  }
}

// As `ask`, for what changes something: a service that has an API token gets it.
export async function order(path) {
  try {
    return await ask(path, { method: "POST", headers: authorization() });
  } catch (error) {
    if (error instanceof Refusal && error.status === 401 && await askForToken(reasonOf(error))) return order(path);
    throw error;
  }
}

function reasonOf({ code }) {
  return code === "wrong_token"
    ? "That is not this service's token. Try again."
    : "This service asks for a token before something is changed. Whoever runs it knows it as API_TOKEN.";
}

async function answer(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
}

function unreachable() {
  connection.lose();
  return new Unreachable();
}
