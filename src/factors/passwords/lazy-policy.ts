import { isThisMachine } from '../../base/this-machine.ts';
import type { Config } from '../../config/config.ts';
import { unavailable } from '../../problems/general.ts';
import type { PasswordPolicy } from './policy.ts';

/** A password policy that loads its 49,000 common passwords when the first new password is to be judged. */
export interface LazyPasswordPolicy {
  /** @throws unavailable when the common passwords cannot be read now */
  objection(password: string, email: string): Promise<ReturnType<PasswordPolicy['objection']>>;
}

type Settings = Pick<Config['passwords'], 'minLength'>;

export function createLazyPasswordPolicy(settings: Settings, publicUrl: string): LazyPasswordPolicy {
  let policy: Promise<PasswordPolicy> | undefined;
  return {
    async objection(password, email) {
      policy ??= load(settings, publicUrl);
      try {
        return (await policy).objection(password, email);
      } catch (cause) {
        policy = undefined; // such as for want of a file descriptor: the next password tries again
        throw unavailable({ cause, retryAfterSeconds: 2 });
      }
    },
  };
}

async function load({ minLength }: Settings, publicUrl: string): Promise<PasswordPolicy> {
  const { createPasswordPolicy } = await import('./policy.ts');
  // Who tries idcard out may type the passwords of the documentation.
  const takesExamples = isThisMachine(new URL(publicUrl).hostname);
  return createPasswordPolicy({ minLength, takesExamples });
}
