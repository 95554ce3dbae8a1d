import { describeClientIn } from './in-browser.ts';

describeClientIn('Chromium');
