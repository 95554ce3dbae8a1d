import type { Attack, Outcome } from '../outcome.ts';
import type { Target } from '../target.ts';
import type { WireRequest } from '../wire.ts';

const withCapital = (name: string) => name.slice(0, -1) + name.slice(-1).toUpperCase();

/** Cookie headers with a good token in them, of which none is a good cookie. Each stands for a line on the wire. */
const spellings: Record<string, Record<string, (name: string, token: string) => string[]>> = {
  'twice: RFC 6265 §5.4': {
    'the cookie twice': (name, token) => [`${name}=${token}; ${name}=${token}`],
    'the cookie twice, the first one planted': (name, token) => [`${name}=planted; ${name}=${token}`],
    'the cookie twice, the second one planted': (name, token) => [`${name}=${token}; ${name}=planted`],
    'the cookie twice, without a blank': (name, token) => [`${name}=${token};${name}=${token}`],
    'the cookie twice, the first one empty': (name, token) => [`${name}=; ${name}=${token}`],
    'two Cookie headers': (name, token) => [`${name}=${token}`, `${name}=${token}`],
    'two Cookie headers, the second one planted': (name, token) => [
      `${name}=${token}`,
      `a=b; ${name}=planted`,
    ],
    'the cookie twice, once with a blank behind its name': (name, token) => [`${name} =x; ${name}=${token}`],
    'the cookie twice, once with a tab before its name': (name, token) => [
      `a=b;\t${name}=x; ${name}=${token}`,
    ],
  },
  'twice: RFC 6265bis §4.1.3.2': {
    'the cookie with one capital': (name, token) => [`${withCapital(name)}=${token}`],
    'the cookie in capitals': (name, token) => [`${name.toUpperCase()}=${token}`],
    'the cookie in two letter cases': (name, token) => [`${name}=${token}; ${withCapital(name)}=x`],
    'the cookie in two letter cases, over two headers': (name, token) => [
      `${withCapital(name)}=x`,
      `${name}=${token}`,
    ],
  },
  'broken: RFC 6265 §4.1.1': {
    'the cookie in quotes': (name, token) => [`${name}="${token}"`],
    'the cookie with two equals signs': (name, token) => [`${name}==${token}`],
    'the cookie with a percent sign': (name, token) => [`${name}=${token.replace('.', '%2E')}`],
    'the cookie with a comma behind': (name, token) => [`${name}=${token}, a=b`],
    'the cookie cut by a semicolon': (name, token) => [`${name}=${token.replace('.', ';.')}`],
    'the cookie with a scheme before the token': (name, token) => [`${name}=Bearer ${token}`],
    'the cookie in the cookie': (name, token) => [`${name}=${name}=${token}`],
    'the cookie signed as cookie-parser signs': (name, token) => [`${name}=s:${token}.AAAA`],
    'the cookie as JSON': (name, token) => [`${name}=j:"${token}"`],
    'the cookie empty': (name) => [`${name}=`],
    'the cookie with a byte that is no ASCII': (name, token) => [`${name}=${token}\xa0`],
  },
  'unseen: RFC 6265bis §4.1.3.2': {
    'a cookie with the prefix of TLS': (name, token) => [`__Host-${name}=${token}`],
    'a cookie with the other prefix': (name, token) => [`__Secure-${name}=${token}`],
    'a cookie with less of its name': (name, token) => [`${name.slice(1)}=${token}`],
    'a cookie with more behind its name': (name, token) => [`${name}2=${token}`],
    'a cookie without a name': (_, token) => [token],
    'a cookie without a name, that looks like one': (name, token) => [`=${name}=${token}`],
    'a cookie behind a comma': (name, token) => [`a=b, ${name}=${token}`],
    'a cookie in the value of another': (name, token) => [`a="b ${name}=${token}"`],
    'a cookie whose name is encoded': (name, token) => [
      `%${name.charCodeAt(0).toString(16)}${name.slice(1)}=${token}`,
    ],
    'a cookie without an equals sign': (name, token) => [`${name} ${token}`],
    'a cookie of the other kind': (name, token) => [`${name === 'access' ? 'refresh2' : 'access'}=${token}`],
  },
  // A browser does not see the prefix behind such a byte, so any subdomain may set the cookie.
  'unseen: RFC 6265bis §4.1.3, CWE-180': {
    'a no-break space before the name': (name, token) => [`\xa0${name}=${token}`],
    'a no-break space behind the name': (name, token) => [`${name}\xa0=${token}`],
    'a no-break space in UTF-8 before the name': (name, token) => [`\xc2\xa0${name}=${token}`],
    'an en quad in UTF-8 before the name': (name, token) => [`\xe2\x80\x80${name}=${token}`],
    'a BOM before the name': (name, token) => [`\xef\xbb\xbf${name}=${token}`],
    'a next-line byte before the name': (name, token) => [`\x85${name}=${token}`],
    'a long s in the name': (name, token) => [`${name.replace('s', '\xc5\xbf')}=${token}`],
  },
};

export function hostileCookies({ real }: Target): Attack[] {
  const readers: [string, string, WireRequest, Outcome][] = [
    ['access', real['access cookie'], { path: '/v1/verify' }, 'login required'],
    ['access', real['access cookie'], { path: '/v1/me' }, 'login required'],
    ['access', real['access cookie'], { method: 'POST', path: '/v1/logout-everywhere' }, 'login required'],
    ['refresh', real['refresh cookie'], { method: 'POST', path: '/v1/refresh' }, 'refresh token required'],
  ];
  return readers.flatMap(([name, token, request, unseen]) =>
    Object.entries(spellings).flatMap(([heading, makes]) => {
      const [fate, source = ''] = heading.split(': ');
      return Object.entries(makes).map(([what, make]) => ({
        name: `${what}, at ${request.path}`,
        source,
        request: { ...request, headers: make(name, token).map((line): [string, string] => ['Cookie', line]) },
        outcome: fate === 'unseen' ? unseen : 'invalid token',
      }));
    }),
  );
}
