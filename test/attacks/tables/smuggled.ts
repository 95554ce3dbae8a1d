import type { Attack, Outcome } from '../outcome.ts';
import type { Target } from '../target.ts';
import type { WireRequest } from '../wire.ts';

type Headers = NonNullable<WireRequest['headers']>;

/** Bytes that two parsers may read in two ways, around a good token. */
export function smuggled({ real }: Target): Attack[] {
  const { access } = real;
  const cookie = real['access cookie'];
  const row = (source: string, outcome: Outcome, headers: Record<string, Headers>): Attack[] =>
    Object.entries(headers).flatMap(([name, lines]) =>
      ['/v1/verify', '/v1/me'].map((path) => ({
        name: `${name}, at ${path}`,
        source,
        outcome,
        request: { path, headers: lines },
      })),
    );
  const token = (value: string): Headers => [['Authorization', `Bearer ${value}`]];
  const half = access.length / 2;
  const cut = (byte: string) => token(access.slice(0, half) + byte + access.slice(half));
  const cookies = (value: string): Headers => [['Cookie', `access=${value}`]];

  return [
    ...row('RFC 9112 §2.2, CWE-113', 'malformed', {
      'a carriage return in the token': cut('\r'),
      'a line feed in the token': cut('\n'),
      'a line feed before a second header': token(`x\nAuthorization: Bearer ${access}`),
      'a carriage return before a second header': token(`x\rAuthorization: Bearer ${access}`),
      'a line feed in a cookie': cookies(`x\nCookie: access=${cookie}`),
      'a carriage return in a cookie': cookies(`${cookie}\r`),
    }),
    ...row('RFC 9112 §2.2, CWE-113', 'several credentials', {
      'a line break before a second header': token(`x\r\nAuthorization: Bearer ${access}`),
      'a line break before a cookie': token(`x\r\nCookie: access=${cookie}`),
    }),
    ...row('RFC 9112 §5.2', 'malformed', {
      'a token on the next line': [['Authorization', `Bearer\r\n ${access}`]],
      'a token on the next line, behind a tab': [['Authorization', `Bearer\r\n\t${access}`]],
      'a token on two lines': cut('\r\n '),
      'a header that is the next line of another': [['X', `a\r\n Authorization: Bearer ${access}`]],
      'a cookie on two lines': cookies(`\r\n ${cookie}`),
    }),
    ...row('RFC 9110 §5.5', 'malformed', {
      'NUL in the token': cut('\0'),
      'NUL before the token': token(`\0${access}`),
      'NUL behind the token': token(`${access}\0`),
      'NUL in a cookie': cookies(`${cookie}\0`),
      'DEL in the token': cut('\x7f'),
      'a bell in the token': cut('\x07'),
      'an escape in a cookie': cookies(`\x1b${cookie}`),
    }),
    ...row('RFC 9110 §5.5', 'invalid token', {
      'a Latin letter in the token': cut('\xe9'),
      'a letter in UTF-8 in the token': cut('\xc3\xa9'),
      'an invalid byte in the token': cut('\xff'),
      'an overlong dot in the token': token(access.replace('.', '\xc0\xae')),
      'a full-width dot in the token': token(access.replace('.', '\xef\xbc\x8e')),
      'a BOM before the token': token(`\xef\xbb\xbf${access}`),
      'a no-break space behind the token': token(`${access}\xa0`),
      'a no-break space before the token': token(`\xa0${access}`),
      'a line separator behind the token': token(`${access}\xe2\x80\xa8`),
      'a no-break space before the value of a cookie': cookies(`\xa0${cookie}`),
    }),
    ...row('RFC 9110 §11.4', 'login required', {
      'a no-break space behind the scheme': [['Authorization', `Bearer\xa0${access}`]],
      'a next-line byte behind the scheme': [['Authorization', `Bearer\x85${access}`]],
      'a dotless i in a scheme': [['Authorization', `B\xc4\xb1arer ${access}`]],
    }),
    ...row('RFC 9112 §5.1', 'malformed', {
      'a blank before the colon': [['Authorization ', `Bearer ${access}`]],
      'a tab before the colon': [['Authorization\t', `Bearer ${access}`]],
      'a no-break space before the colon': [['Authorization\xa0', `Bearer ${access}`]],
      'NUL in the name': [['Authori\0zation', `Bearer ${access}`]],
      'a letter that is no ASCII in the name': [['Authorizat\xc4\xb1on', `Bearer ${access}`]],
      'no name': [['', `Bearer ${access}`]],
    }),
    ...behindAnotherRequest(access),
  ];
}

/** Requests whose end is in two places: the second one must not be heard. */
function behindAnotherRequest(access: string): Attack[] {
  const second = `GET /v1/verify HTTP/1.1\r\nHost: idcard\r\nAuthorization: Bearer ${access}\r\n\r\n`;
  const first = (headers: Headers, body: string): WireRequest => ({
    method: 'POST',
    path: '/v1/refresh',
    headers: [['Content-Type', 'application/json'], ...headers],
    body,
  });
  const ends: Record<string, WireRequest> = {
    'Content-Length and Transfer-Encoding': first(
      [
        ['Content-Length', '4'],
        ['Transfer-Encoding', 'chunked'],
      ],
      `0\r\n\r\n${second}`,
    ),
    'two Content-Lengths': first(
      [
        ['Content-Length', '0'],
        ['Content-Length', '2'],
      ],
      `{}${second}`,
    ),
    'a coding that is almost chunked': first([['Transfer-Encoding', 'xchunked']], `0\r\n\r\n${second}`),
    'a signed Content-Length': first([['Content-Length', '+2']], `{}${second}`),
  };
  return Object.entries(ends).map(([name, request]) => ({
    name: `a token in a request behind ${name}`,
    source: 'RFC 9112 §6.3, CWE-444',
    request,
    outcome: 'malformed',
  }));
}
