import { expect, test } from 'vitest';
import { sha256 } from '../../../src/base/digest.ts';
import { createProofReader } from '../../../src/proofs/dpop/dpop-proof.ts';

/** One for all, so that the key it remembers meets bad signatures too. */
const readDpopProof = createProofReader(2);

/** The header of every example in RFC 9449, decoded in figure 4. */
const HEADER =
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0' +
  'RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAt' +
  'MjU2In19';

/** RFC 9449 §6.1: the thumbprint of the key in it. */
const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';

/** RFC 9449 §7.1, figures 13 and 14. */
const ACCESS_TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
const ATH = 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo';

const figures = {
  'figures 2 and 5, the proof of a token request': {
    segments:
      'eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIi' +
      'wiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37x' +
      'RZT3Lg',
    claims: {
      jti: '-BwC3ESc6acc2lTc',
      htm: 'POST',
      htu: 'https://server.example.com/token',
      iat: 1_562_262_616,
    },
  },
  'figure 7, the proof of a refresh': {
    segments:
      'eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIi' +
      'wiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSR' +
      'roapUA',
    claims: {
      jti: '-BwC3ESc6acc2lTc',
      htm: 'POST',
      htu: 'https://server.example.com/token',
      iat: 1_562_265_296,
    },
  },
  'figure 13, the proof of a request with an access token': {
    segments:
      'eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZW' +
      'N0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFF' +
      'byJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA',
    claims: {
      jti: 'e1j3V_bKic8-LAEB',
      htm: 'GET',
      htu: 'https://resource.example.org/protectedresource',
      iat: 1_562_262_618,
      ath: ATH,
    },
  },
};

test.each(Object.entries(figures))(
  '%s: signature, claims and thumbprint are read',
  (_figure, { segments, claims }) => {
    expect(readDpopProof(`${HEADER}.${segments}`)).toEqual({ jkt: JKT, claims });
  },
);

test.each(Object.entries(figures))(
  '%s: with a signature of another figure it is no proof',
  (figure, { segments }) => {
    const other = Object.entries(figures)
      .find(([name]) => name !== figure)?.[1]
      .segments.split('.')[1];
    expect(readDpopProof(`${HEADER}.${segments.split('.')[0]}.${other}`)).toBeUndefined();
  },
);

test('the hash of the example access token is the one of figure 14', () => {
  expect(sha256(ACCESS_TOKEN)).toBe(ATH);
});

test('the thumbprint is the hash of the required members in lexicographic order (RFC 7638 §3.2)', () => {
  const { jwk } = JSON.parse(Buffer.from(HEADER, 'base64url').toString());
  expect(Object.keys(jwk)).toEqual(['kty', 'x', 'y', 'crv']);
  expect(sha256(`{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`)).toBe(JKT);
});
