/**
 * What the document shows. The tokens are real ones, long expired. They are signed with the example keys of RFC 7517 A.2
 * and RFC 7515 A.1, with which no server starts.
 */
export const credentialsExample = { email: 'ada@example.com', password: 'violet otters play chess' };

export const userExample = {
  id: '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a',
  email: credentialsExample.email,
  email_verified: false,
  roles: ['admin'],
  created_at: '2026-11-23T12:00:00.000Z',
};

export const accessClaimsExample = {
  iss: 'http://localhost:3000',
  sub: userExample.id,
  aud: 'api',
  exp: 1_795_435_500,
  iat: 1_795_435_200,
  jti: 'q8fF3sYxT0a1b2c3d4e5fg',
  auth_time: 1_795_435_200,
  amr: ['pwd'],
  ver: 1,
  client_id: 'idcard',
  scope: 'account',
  roles: userExample.roles,
};

export const jwksExample = {
  keys: [
    {
      kty: 'EC',
      kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
      alg: 'ES256',
      use: 'sig',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    },
  ],
};

export const tokenExample = {
  access_token:
    'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImNuLUlfV05NQ2xlaGlWcDUxaV8wVnBPRU5XMXVwRWVyQThzRWFt' +
    'NWhuLXMifQ.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAiLCJzdWIiOiIwMTlhNWIzYy03ZTFkLTdjNDQtOWYwYS0zYjJjM' +
    'WQwZTlmOGEiLCJhdWQiOiJhcGkiLCJleHAiOjE3OTU0MzU1MDAsImlhdCI6MTc5NTQzNTIwMCwianRpIjoicThmRjNzWXhUMGExY' +
    'jJjM2Q0ZTVmZyIsImF1dGhfdGltZSI6MTc5NTQzNTIwMCwiYW1yIjpbInB3ZCJdLCJ2ZXIiOjEsImNsaWVudF9pZCI6ImlkY2FyZ' +
    'CIsInNjb3BlIjoiYWNjb3VudCIsInJvbGVzIjpbImFkbWluIl19.BBmRuNBC0ngoDFx9M5gWih-vaMRsOyrWKNx53G3Z3_mQ8O9Y' +
    'LUOXFcSxypjNMyAr4uzHgzz0sSnkybcRmzuo-g',
  token_type: 'Bearer',
  expires_in: 300,
  refresh_token:
    'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCIsImtpZCI6InlfeDNnQ0puTDZvS0dCQklYU2NhYmR1d3hUVnkyV2QyYnpSVkVV' +
    'YmRVemMifQ.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAiLCJzdWIiOiIwMTlhNWIzYy03ZTFkLTdjNDQtOWYwYS0zYjJjM' +
    'WQwZTlmOGEiLCJhdWQiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAiLCJleHAiOjE3OTYwNDAwMDAsImlhdCI6MTc5NTQzNTIwMCwia' +
    'nRpIjoiWmsxdlhjOVFTeldxM3U3clQyeUhtQSIsImF1dGhfdGltZSI6MTc5NTQzNTIwMCwiYW1yIjpbInB3ZCJdLCJ2ZXIiOjEsI' +
    'nNpZCI6IjVlMGY2YzFhLTkyZDQtNGI3Yy04ZTM1LTFmMmEzYjRjNWQ2ZSJ9.h-bsM5sweDGCtPWKNZ9TEGjD7PCPnJau2XmqvyoA' +
    '4M0',
  refresh_expires_in: 604_800,
  scope: 'account',
};

/** The device token is made with the key of RFC 7515 A.1 as well. */
export const deviceTokenExample = '-gsj7cjgyMRH1FYVDKvcsgAAawQqwKrKxnBNTPLP7lOCwGwLJafc5iXDgMuJ5LwR_xRVI2wg';

/** The list says that tokens of the user above are void below version 2. */
export const revocationsExample =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6InJldm9jYXRpb25zK2p3dCIsImtpZCI6ImNuLUlfV05NQ2xlaGlWcDUxaV8wVnBPRU5XMXVwR' +
  'WVyQThzRWFtNWhuLXMifQ.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAiLCJhdWQiOiJodHRwOi8vbG9jYWxob3N0OjMwMDA' +
  'vLndlbGwta25vd24vcmV2b2NhdGlvbnMiLCJpYXQiOjE3OTU0MzUyMDAsImV4cCI6MTc5NTQzNTUwMCwiYWNjZXNzX3Rva2VuX3R0' +
  'bCI6MzAwLCJyZXZvY2F0aW9ucyI6eyJ1cW9qRWJ2a2ZDSFIybTdha0ppV2JIaWc2dTdvNFFoRllKeDdhdGdDUmxrIjoyfX0.HoIkL' +
  'qJkQ8HlQsOuRQkKL9obSRlPJvbVh4VAMv7vOq9swE8WEfOkbjdhFp1kc81AcB8oTpVgESItV4e1Tu74Sg';
