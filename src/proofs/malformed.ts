import type { z } from 'zod';
import { quoted } from '../base/log-text.ts';
import { MAX_TOKEN_LENGTH } from './jws.ts';

/* Why a text is neither a token nor a proof, for the log at the level debug. */

/** The reason for a text that is no JWS in compact serialization. */
export function explainText(token: string, maxLength = MAX_TOKEN_LENGTH): string {
  if (token.length > maxLength) return `malformed: ${token.length} characters, at most ${maxLength} expected`;
  const parts = token.split('.').length;
  return parts === 3
    ? 'malformed: a part is no base64url'
    : `malformed: ${parts} ${parts === 1 ? 'part' : 'parts'} between dots, expected 3`;
}

/** The reason for a payload that lacks a claim, or has a wrong one. */
export function explainClaims({ issues: [issue] }: z.ZodError, payload: unknown): string {
  const claim = `malformed: the claim ${quoted(issue?.path.join('.'))}`;
  return Object(payload)[String(issue?.path[0])] === undefined
    ? `${claim} is missing`
    : `${claim}: ${issue?.message}`;
}
