/** The part of the Compose Specification that our compose files use, strictly: a key beyond it is an error. */
import { z } from 'zod';

const duration = z.string().regex(/^\d+(ms|s|m|h)$/);

const bind = z.strictObject({
  type: z.literal('bind'),
  source: z.string().min(1),
  target: z.string().startsWith('/'),
  read_only: z.boolean(),
});

const gpus = z.strictObject({
  driver: z.literal('nvidia'),
  device_ids: z.array(z.string().regex(/^\d+$/)).min(1),
  capabilities: z.tuple([z.literal('gpu')]),
});

const service = z.strictObject({
  image: z.string().regex(/^[\w./-]+:[\w.-]+$/),
  command: z.array(z.string()).min(1),
  environment: z.record(z.string().regex(/^[A-Z_]+$/), z.string()),
  volumes: z.array(bind),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).min(1),
  ipc: z.literal('host').optional(),
  shm_size: z
    .string()
    .regex(/^\d+(b|k|m|g|kb|mb|gb)$/)
    .optional(),
  healthcheck: z.strictObject({
    test: z.tuple([z.literal('CMD')], z.string()),
    interval: duration,
    timeout: duration,
    retries: z.int().positive(),
    start_period: duration,
  }),
  ulimits: z.record(z.string(), z.int()),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  deploy: z.strictObject({
    resources: z.strictObject({ reservations: z.strictObject({ devices: z.array(gpus).min(1) }) }),
  }),
});

export const composeSchema = z.strictObject({
  services: z.record(z.string().regex(/^[a-zA-Z0-9._-]+$/), service),
});
