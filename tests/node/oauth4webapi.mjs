// What a relying party and a resource server with `oauth4webapi` do: it takes no answer that departs from the standards.

import * as oauth from "oauth4webapi";
import { given, makeKeys, play, refusal, visit } from "./dialogue.mjs";

const issuer = new URL(given.issuer);
const local = { [oauth.allowInsecureRequests]: true }; // local runs have no TLS
const scope = "openid profile offline_access cases";

async function discover(algorithm) {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...local, algorithm }));
}

async function register(server, metadata) {
  const document = { client_name: "oauth4webapi", redirect_uris: [given.redirectUri], scope, ...metadata };
  document.grant_types = ["authorization_code", "refresh_token"];
  const options = { ...local, initialAccessToken: given.registrationToken };
  const answer = await oauth.dynamicClientRegistrationRequest(server, document, options);
  return oauth.processDynamicClientRegistrationResponse(answer);
}

async function start(more) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    response_type: "code",
    redirect_uri: given.redirectUri,
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...more,
  });
  return { verifier, state, nonce, parameters };
}

function addressOf(server, client, parameters) {
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams([["client_id", client.client_id], ...parameters]).toString();
  return url;
}

// The API as a department would write it: it believes a token by our keys alone (RFC 9068), bound or not.
async function believedBy(server, headers, method = "GET", url = new URL("/api/v1/cases", issuer)) {
  const claims = await oauth.validateJwtAccessToken(server, new Request(url, { method, headers }), "urn:onehall:api", local);
  return { sub: claims.sub, clientId: claims.client_id, scope: claims.scope, jkt: claims.cnf?.jkt };
}

async function holdsUsToTheStandards() {
  const server = await discover("oidc");
  const client = await register(server, { token_endpoint_auth_method: "client_secret_post", require_auth_time: true });
  const secret = oauth.ClientSecretPost(client.client_secret);
  const { verifier, state, nonce, parameters } = await start({ max_age: "600" });
  const answer = oauth.validateAuthResponse(server, client, await visit(addressOf(server, client, parameters)), state);
  const redeem = () =>
    oauth.authorizationCodeGrantRequest(server, client, secret, answer, given.redirectUri, verifier, local);
  const checks = { expectedNonce: nonce, maxAge: 600, requireIdToken: true };
  const response = await redeem();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, checks);
  await oauth.validateApplicationLevelSignature(server, response, local);
  const claims = oauth.getValidatedIdTokenClaims(tokens);

  const asked = await oauth.userInfoRequest(server, client, tokens.access_token, local);
  const person = await oauth.processUserInfoResponse(server, client, claims.sub, asked);
  const believed = await believedBy(server, { authorization: `Bearer ${tokens.access_token}` });
  const introspected = await oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(server, client, secret, tokens.access_token, local),
  );
  const renewed = await oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, secret, tokens.refresh_token, local),
  );
  const replayed = await refusal(
    (async () => oauth.processAuthorizationCodeResponse(server, client, await redeem(), checks))(),
  );
  const revoked = await oauth.revocationRequest(server, client, secret, renewed.refresh_token, local);
  await oauth.processRevocationResponse(revoked);
  return { claims, person, believed, introspected: introspected.active, hasIdTokenAgain: "id_token" in renewed, replayed };
}

async function bindsWhatItPushes() {
  const server = await discover("oauth2");
  const { pair, jwk } = await makeKeys();
  const metadata = { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] }, dpop_bound_access_tokens: true };
  const client = await register(server, metadata);
  const signed = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: jwk.kid });
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  const { verifier, state, nonce, parameters } = await start();
  const options = { ...local, DPoP };
  const pushed = await oauth.processPushedAuthorizationResponse(
    server,
    client,
    await oauth.pushedAuthorizationRequest(server, client, signed, parameters, options),
  );
  const back = await visit(addressOf(server, client, [["request_uri", pushed.request_uri]]));
  const answer = oauth.validateAuthResponse(server, client, back, state);
  const tokens = await oauth.processAuthorizationCodeResponse(
    server,
    client,
    await oauth.authorizationCodeGrantRequest(server, client, signed, answer, given.redirectUri, verifier, options),
    { expectedNonce: nonce, requireIdToken: true },
  );
  const sent = await capturedHeaders(DPoP, tokens.access_token);
  return { tokenType: tokens.token_type, believed: await believedBy(server, sent), thumbprint: await DPoP.calculateThumbprint() };
}

// What it would send to a server of the API, kept from the network.
async function capturedHeaders(DPoP, token) {
  let headers;
  const customFetch = (url, options) => {
    headers = options.headers;
    return Promise.resolve(new Response("{}"));
  };
  const options = { ...local, DPoP, [oauth.customFetch]: customFetch };
  await oauth.protectedResourceRequest(token, "GET", new URL("/api/v1/cases", issuer), undefined, undefined, options);
  return headers;
}

await play({ holdsUsToTheStandards, bindsWhatItPushes });
