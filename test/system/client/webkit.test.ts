import { describeClientIn } from './in-browser.ts';

describeClientIn('WebKit');
