import type { Page } from './browsers.ts';

const PATH = '/complaints.js';

/** Writes down what goes wrong in a page, since WebDriver tells nothing of its console. */
const SCRIPT = `
  window.complaints = [];
  const complain = (what) => complaints.push(String(what));
  addEventListener('unhandledrejection', ({ reason }) => complain(reason));
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
    complain(['policy', violatedDirective, blockedURI, sample].join(' ')));
  addEventListener('error', ({ message, target }) => complain(message ?? 'not loaded: ' + target.outerHTML), true);
  for (const level of ['error', 'warn']) {
    const write = console[level];
    console[level] = (...what) => { complain(what.join(' ')); write.apply(console, what); };
  }`;

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What is to be answered instead, so that a page of the own origin, whatever its policy, begins with that script. */
export function withComplaints(
  answers: (path: string) => Answer | undefined,
): (path: string) => Answer | undefined {
  return (path) => {
    if (path === PATH) return { status: 200, headers: { 'content-type': 'text/javascript' }, body: SCRIPT };
    const answer = answers(path);
    if (!answer?.headers['content-type']?.startsWith('text/html')) return answer;
    return { ...answer, body: answer.body.replace('<head>', `<head><script src="${PATH}"></script>`) };
  };
}

/** What has gone wrong since the page was loaded, or since this was asked. */
export async function complaintsOf(page: Page): Promise<string[]> {
  return (await page.evaluate('complaints.splice(0)')) as string[];
}
