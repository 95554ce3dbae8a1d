import type { PasswordPolicy } from './policy.ts';

/** A password policy that loads its 49,000 common passwords when the first new password is to be judged. */
export interface LazyPasswordPolicy {
  objection(password: string, email: string): Promise<ReturnType<PasswordPolicy['objection']>>;
}

/** @param minLength in characters (Unicode code points) */
export function createLazyPasswordPolicy(minLength: number): LazyPasswordPolicy {
  let policy: Promise<PasswordPolicy> | undefined;
  return {
    async objection(password, email) {
      policy ??= import('./policy.ts').then(({ createPasswordPolicy }) => createPasswordPolicy(minLength));
      return (await policy).objection(password, email);
    },
  };
}
