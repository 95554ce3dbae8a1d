import { describeClientIn } from './in-browser.ts';

describeClientIn('Firefox');
