import type { Attack, Outcome } from '../outcome.ts';
import type { WireRequest } from '../wire.ts';

/** Where proxies, other frameworks and habit put tokens. */
export function inOtherHeaders(access: string): Attack[] {
  const names = [
    'X-Authorization',
    'Proxy-Authorization',
    'X-Access-Token',
    'X-Auth-Token',
    'X-Forwarded-Authorization',
    'X-Original-Authorization',
    'Authentication',
    'Authorizations',
    'Authorization_',
    'X-Api-Key',
    'Token',
    'DPoP',
    'X-Amzn-Oidc-Data',
    'X-Auth-Subject',
  ];
  const subprotocol: WireRequest = {
    path: '/v1/me',
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Protocol', `bearer, ${access}`],
    ],
  };
  return [
    ...names.map((name): [string, WireRequest] => [
      `a token in ${name}`,
      { path: '/v1/verify', headers: [[name, `Bearer ${access}`]] },
    ]),
    ['a token in a WebSocket subprotocol', subprotocol] as const,
  ].map(([name, request]) => ({ name, source: 'RFC 6750 §2.1', request, outcome: 'login required' }));
}

/** Schemes that nobody promised, and one that holds more or less than a token. */
export function underOtherSchemes(access: string): Attack[] {
  const basic = Buffer.from(`${access}:`).toString('base64');
  const unknown = [
    access,
    `Token ${access}`,
    `JWT ${access}`,
    `OAuth ${access}`,
    `Bearer:${access}`,
    `Bearer=${access}`,
    `Bearer,${access}`,
    `Bearer\t${access}`,
    `Basic ${basic}`,
    `Basic ${access}`,
    `BearerToken ${access}`,
    `access=${access}`,
    `"Bearer" ${access}`,
  ];
  const broken = [
    '',
    ' ',
    `token=${access}`,
    `token="${access}"`,
    `access_token=${access}`,
    `realm="idcard", token=${access}`,
    `Bearer ${access}`,
    `${access}, Bearer ${access}`,
    `${access};`,
    `access=${access}`,
  ].map((rest) => `Bearer ${rest}`);
  const rows = (values: string[], outcome: Outcome): Attack[] =>
    values.map((value) => ({
      name: `the header ${JSON.stringify(value.replaceAll(access, '<token>').replace(basic, '<token>'))}`,
      source: 'RFC 6750 §2.1, RFC 9110 §11.4',
      request: { path: '/v1/me', headers: [['Authorization', value]] },
      outcome,
    }));
  return [...rows(unknown, 'login required'), ...rows(broken, 'invalid token')];
}
