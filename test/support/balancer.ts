import { readFileSync } from 'node:fs';

/** What deploy/nginx/balancer.conf is given here: its own ports instead of 80, 443 and two hosts called idcard. */
interface Balancer {
  port: number;
  /** Ports on 127.0.0.1. */
  replicas: readonly [number, number];
  tls?: { port: number; certificateFile: string; keyFile: string };
}

/** The file that users are given, with other addresses and, for TLS, its commented lines. */
export function balancerConfig({ port, replicas, tls }: Balancer): string {
  const config = readFileSync('deploy/nginx/balancer.conf', 'utf8')
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('idcard-1:3000', `127.0.0.1:${replicas[0]}`)
    .replace('idcard-2:3000', `127.0.0.1:${replicas[1]}`);
  if (!tls) return config;
  return config
    .replaceAll('#tls ', '')
    .replace('listen 443', `listen 127.0.0.1:${tls.port}`)
    .replace('/etc/nginx/tls/fullchain.pem', tls.certificateFile)
    .replace('/etc/nginx/tls/privkey.pem', tls.keyFile);
}
