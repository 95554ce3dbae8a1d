import packageJson from '../package.json' with { type: 'json' };

/** `npm start` as it is shipped, without the name of Node: its flags, the script, the command. */
export const SERVE: readonly string[] = packageJson.scripts.start.split(' ').slice(1);

/** The flags of Node in it. */
export const NODE_FLAGS = SERVE.filter((word) => word.startsWith('--'));
