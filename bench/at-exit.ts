const tasks = new Set<() => void>();
process.on('exit', () => {
  for (const task of tasks) task();
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** What must not outlive this process, however it ends. @returns forgets the task */
export function atExit(task: () => void): () => void {
  tasks.add(task);
  return () => tasks.delete(task);
}
