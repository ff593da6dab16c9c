// What a relying party with `openid-client` does.

import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";
import { given, makeKeys, play, refusal, visit, wait } from "./dialogue.mjs";

const issuer = new URL(given.issuer);
const local = { execute: [client.allowInsecureRequests] }; // local runs have no TLS

async function register(metadata, authentication) {
  const defaults = {
    client_name: "openid-client",
    redirect_uris: [given.redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    scope: "openid profile email offline_access cases",
  };
  const options = { ...local, initialAccessToken: given.registrationToken };
  return client.dynamicClientRegistration(issuer, { ...defaults, ...metadata }, authentication, options);
}

async function signIn(config, { push = false, options, ...parameters } = {}) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const request = {
    redirect_uri: given.redirectUri,
    scope: "openid profile email offline_access cases",
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  };
  const url = push
    ? await client.buildAuthorizationUrlWithPAR(config, request, options)
    : client.buildAuthorizationUrl(config, request);
  const back = await visit(url);
  return { back, tokens: await client.authorizationCodeGrant(config, back, checks, undefined, options) };
}

async function registersAndSignsIn() {
  const config = await register({ token_endpoint_auth_method: "client_secret_basic" }, client.ClientSecretBasic());
  const { back, tokens } = await signIn(config);
  const claims = tokens.claims();
  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const active = await client.tokenIntrospection(config, renewed.access_token);
  await client.tokenRevocation(config, renewed.refresh_token);
  return {
    iss: back.searchParams.get("iss"),
    claims,
    person,
    isRotated: renewed.refresh_token !== tokens.refresh_token,
    renewedSubject: renewed.claims()?.sub,
    active,
    afterRevocation: await refusal(client.refreshTokenGrant(config, renewed.refresh_token)),
  };
}

// The most that a client can ask for: it pushes its requests, signs them, binds its tokens and wants all answers signed.
async function pushesSignsAndBinds() {
  const { pair, jwk } = await makeKeys();
  const config = await register(
    {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [jwk] },
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: given.algorithm,
      userinfo_signed_response_alg: given.algorithm,
      subject_type: "pairwise",
    },
    client.PrivateKeyJwt({ key: pair.privateKey, kid: jwk.kid }),
  );
  client.enableNonRepudiationChecks(config);
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const { back, tokens } = await signIn(config, { push: true, options: { DPoP } });
  const subject = tokens.claims().sub;
  const person = await client.fetchUserInfo(config, tokens.access_token, subject, { DPoP });
  const cases = new URL("/api/v1/cases", issuer);
  const ask = (options) =>
    client.fetchProtectedResource(config, tokens.access_token, cases, "GET", undefined, undefined, options);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  return {
    iss: back.searchParams.get("iss"),
    subject,
    person,
    tokenType: tokens.token_type,
    cases: (await ask({ DPoP })).status,
    withoutProof: await refusal(ask()),
    renewedTokenType: renewed.token_type,
  };
}

// An app on a person's own machine: public, any port of the loopback address.
async function signsInAsApp() {
  const config = await client.discovery(issuer, "app", undefined, client.None(), local);
  const { tokens } = await signIn(config);
  const second = await client.refreshTokenGrant(config, tokens.refresh_token);
  return { subject: tokens.claims().sub, isRotated: second.refresh_token !== tokens.refresh_token };
}

async function isToldNo() {
  const config = await client.discovery(issuer, "app", undefined, client.None(), local);
  return refusal(signIn(config, { prompt: "none" }));
}

async function worksForADepartment() {
  const config = await client.discovery(issuer, given.clientId, given.clientSecret, undefined, local);
  const tokens = await client.clientCredentialsGrant(config, { scope: "cases" });
  const cases = new URL("/api/v1/cases", issuer);
  const answer = await client.fetchProtectedResource(config, tokens.access_token, cases, "GET");
  const { active, client_id } = await client.tokenIntrospection(config, tokens.access_token);
  return { status: answer.status, active, clientId: client_id, hasRefreshToken: "refresh_token" in tokens };
}

// A terminal without a keyboard: the person allows it on their phone.
async function waitsForAPhone() {
  const config = await client.discovery(issuer, "kiosk", undefined, client.None(), local);
  const asked = await client.initiateDeviceAuthorization(config, { scope: "openid profile cases" });
  const polled = client.pollDeviceAuthorizationGrant(config, { ...asked, interval: given.interval });
  await wait(asked);
  const tokens = await polled;
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  const used = { device_code: asked.device_code };
  const again = client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:device_code", used);
  return { person, asked, again: await refusal(again) };
}

// The counter's program: what the clerk may do for the citizen whose card was read.
async function actsForSomebody() {
  const config = await client.discovery(issuer, "hall", given.clientSecret, undefined, local);
  const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
  const request = {
    subject_token: given.presenceToken,
    subject_token_type: "urn:onehall:params:oauth:token-type:presence",
    actor_token: given.actorToken,
    actor_token_type: "urn:ietf:params:oauth:token-type:access_token",
    scope: "cases",
  };
  const { actor_token, actor_token_type, ...withoutActor } = request;
  const refused = await refusal(client.genericGrantRequest(config, grant, withoutActor));
  const tokens = await client.genericGrantRequest(config, grant, request);
  const { active, sub, act, channel } = await client.tokenIntrospection(config, tokens.access_token);
  const again = await refusal(client.genericGrantRequest(config, grant, request));
  return { active, sub, act, channel, refused, again, issuedTokenType: tokens.issued_token_type };
}

// Where a logout token arrives; `token` resolves to the first one.
async function listenForLogout() {
  let tell;
  const token = new Promise((resolve) => (tell = resolve));
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    response.end();
    tell(new URLSearchParams(body).get("logout_token"));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/logout`, token, close: () => server.close() };
}

// It signs the person out, and hears of it as every other client of the session does.
async function signsOut() {
  const listening = await listenForLogout();
  const back = `${given.redirectUri}/out`;
  const metadata = {
    token_endpoint_auth_method: "client_secret_basic",
    post_logout_redirect_uris: [back],
    backchannel_logout_uri: listening.url,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: given.algorithm,
    subject_type: "pairwise",
  };
  const config = await register(metadata, client.ClientSecretBasic());
  const { tokens } = await signIn(config);
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: back, state: "s" };
  const returned = await visit(client.buildEndSessionUrl(config, parameters));
  const server = config.serverMetadata();
  const { payload } = await jwtVerify(await listening.token, createRemoteJWKSet(new URL(server.jwks_uri)), {
    issuer: server.issuer,
    audience: config.clientMetadata().client_id,
    typ: "logout+jwt",
    algorithms: [given.algorithm],
    requiredClaims: ["iat", "exp", "jti", "sub", "sid", "events"],
    maxTokenAge: "2m",
  });
  listening.close();
  const claims = tokens.claims();
  return { returned: String(returned), claims, payload };
}

await play({ signsOut, registersAndSignsIn, pushesSignsAndBinds, signsInAsApp, isToldNo, worksForADepartment, waitsForAPhone, actsForSomebody });
