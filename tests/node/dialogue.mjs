// A stranger's program and the test that plays the person at its browser, over the program's standard streams:
// a line of JSON each way. What the test tells at the start is the program's one argument.

import { createInterface } from "node:readline";

export const given = JSON.parse(process.argv[2]);

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Sends the person's browser to `url`; resolves to the address that it comes back to. */
export async function visit(url) {
  tell({ open: String(url) });
  return new URL((await answers.next()).value);
}

/** Tells the test what it needs to know in the middle; resolves when it has done its part. */
export async function wait(message) {
  tell({ told: message });
  await answers.next();
}

/** Plays the scenario that the test named, and tells what came of it. */
export async function play(scenarios) {
  tell({ done: await scenarios[given.scenario]() });
  process.stdin.destroy();
}

/** The error code of a request that must be refused. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error.error ?? error.code ?? String(error);
  }
  return "not refused";
}

/** A key pair to sign with, and its public half as JWK. */
export async function makeKeys() {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { pair, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: "one", use: "sig", alg: "ES256" } };
}
