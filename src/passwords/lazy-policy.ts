import { unavailable } from '../problems/catalogue.ts';
import type { PasswordPolicy } from './policy.ts';

/** A password policy that loads its 49,000 common passwords when the first new password is to be judged. */
export interface LazyPasswordPolicy {
  /** @throws unavailable when they cannot be read now */
  objection(password: string, email: string): Promise<ReturnType<PasswordPolicy['objection']>>;
}

/** @param minLength in characters (Unicode code points) */
export function createLazyPasswordPolicy(minLength: number): LazyPasswordPolicy {
  let policy: Promise<PasswordPolicy> | undefined;
  return {
    async objection(password, email) {
      policy ??= load(minLength);
      try {
        return (await policy).objection(password, email);
      } catch (cause) {
        policy = undefined; // such as a process without a free file descriptor: the next one tries again
        throw unavailable({ cause, retryAfterSeconds: 2 });
      }
    },
  };
}

async function load(minLength: number): Promise<PasswordPolicy> {
  const { createPasswordPolicy } = await import('./policy.ts');
  return createPasswordPolicy(minLength);
}
