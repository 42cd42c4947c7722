/**
 * The ledger as a script for Redis, which runs it without interruption: exact over any number of replicas, by Redis's
 * own clock. All keys of a call share one hash tag, so that a cluster takes it.
 */

/**
 * KEYS: the mark of the end; then for each scope its account and its open reservations, by deadline.
 * ARGV: reserve, extend or settle; id, ttl, tokens, money; a time for tests, or empty for that of Redis; then for each
 * scope requests, tokens, concurrent, day, month, -1 for none.
 * Returns for reserve `{1, requests, wait, tokens, wait, …}` or `{0, scope, limit, wait}`, else `{1}` or `{0}`.
 */
export const LEDGER_SCRIPT = `
local op, id, ttl, tokens, money = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now
if ARGV[6] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1e6 + time[2]
else now = tonumber(ARGV[6]) end
local MINUTE, DAY = 60e6, 86400e6
local scopes = (#KEYS - 1) / 2
local function exact(value) return string.format('%.17g', value) end
local function bound(scope, index) return tonumber(ARGV[6 + (scope - 1) * 5 + index]) end

local function month_of(day)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local of_era = shifted - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  return (year + era * 400) * 12 + math.floor((5 * of_year + 2) / 153) + 2
end
local day = math.floor(now / DAY)
local month = month_of(day)

local function load(scope)
  local key, open = KEYS[scope * 2], KEYS[scope * 2 + 1]
  local got = redis.call('HMGET', key, 'r', 't', 'd', 'ds', 'm', 'ms', 'ht', 'hm', 'n')
  local a = { key = key, open = open }
  a.r, a.t, a.ht, a.hm = tonumber(got[1] or 0), tonumber(got[2] or 0), tonumber(got[7] or 0), tonumber(got[8] or 0)
  a.ds = tonumber(got[3] or -1) == day and tonumber(got[4] or 0) or 0
  a.ms = tonumber(got[5] or -1) == month and tonumber(got[6] or 0) or 0
  -- The clock was set back, or another server has taken over: what was to come is as far away as it was.
  local back = tonumber(got[9] or 0) - now
  if back > 0 then
    a.r, a.t = a.r - back, a.t - back
    local held = redis.call('ZRANGE', open, 0, -1, 'WITHSCORES')
    for at = 1, #held, 2 do redis.call('ZADD', open, exact(tonumber(held[at + 1]) - back), held[at]) end
  end
  return a
end
local function release(a, which)
  local held = redis.call('HGET', a.key, 'h:' .. which)
  if not held then return end
  local t, m = string.match(held, '(%S+) (%S+)')
  a.ht, a.hm = a.ht - tonumber(t), a.hm - tonumber(m)
  redis.call('HDEL', a.key, 'h:' .. which)
  redis.call('ZREM', a.open, which)
end
local function hold(a)
  release(a, id)
  redis.call('HSET', a.key, 'h:' .. id, tokens .. ' ' .. money)
  redis.call('ZADD', a.open, exact(now + ttl), id)
  a.ht, a.hm = a.ht + tokens, a.hm + money
end
local function save(scope, a)
  redis.call('HSET', a.key, 'r', exact(a.r), 't', exact(a.t), 'd', day, 'ds', exact(a.ds), 'm', month, 'ms', exact(a.ms),
    'ht', exact(a.ht), 'hm', exact(a.hm), 'n', exact(now))
  local money = bound(scope, 4) >= 0 or bound(scope, 5) >= 0
  -- Never for less than before: another gateway may know of a budget that this one does not, in a rollout.
  local keep = math.max(redis.call('PTTL', a.key), money and 3456000000 or math.ceil(ttl / 1000) + 120000,
    math.ceil((a.t - now) / 1000) + 60000)
  redis.call('PEXPIRE', a.key, keep)
  redis.call('PEXPIRE', a.open, keep)
end

local done = redis.call('EXISTS', KEYS[1]) == 1
if op ~= 'reserve' and done then return { 0 } end
if done then return { 0, 0, 2, 1000000 } end
local accounts = {}
for scope = 1, scopes do
  local a = load(scope)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', a.open, '-inf', exact(now))) do release(a, gone) end
  accounts[scope] = a
end

if op == 'reserve' then
  local refused
  for scope, a in ipairs(accounts) do
    local function no(limit, wait) refused = refused or { 0, scope - 1, limit, math.ceil(wait) } end
    local requests, rate, concurrent, by_day, by_month = bound(scope, 1), bound(scope, 2), bound(scope, 3), bound(scope, 4), bound(scope, 5)
    if concurrent >= 0 and redis.call('ZCARD', a.open) >= concurrent then no(2, 1e6) end
    if requests >= 0 then
      local wait = math.max(a.r, now) + MINUTE / requests - MINUTE - now
      if wait > 0 then no(0, wait) end
    end
    if rate >= 0 then
      if tokens > rate then no(1, -1) end
      local wait = math.max(a.t, now) + (a.ht + tokens) * MINUTE / rate - MINUTE - now
      if wait > 0 then no(1, wait) end
    end
    if by_day >= 0 and a.ds + a.hm + money > by_day then no(3, (day + 1) * DAY - now) end
    if by_month >= 0 and a.ms + a.hm + money > by_month then
      local next = day + 1
      while month_of(next) == month do next = next + 1 end
      no(4, next * DAY - now)
    end
  end
  if refused then
    for scope, a in ipairs(accounts) do save(scope, a) end
    return refused
  end
end

local answer = { 1 }
for scope, a in ipairs(accounts) do
  if op == 'settle' then
    release(a, id)
    local rate = bound(scope, 2)
    if rate >= 0 then a.t = math.max(a.t, now) + tokens * MINUTE / rate end
    a.ds, a.ms = a.ds + money, a.ms + money
  else
    if op == 'reserve' and bound(scope, 1) >= 0 then a.r = math.max(a.r, now) + MINUTE / bound(scope, 1) end
    hold(a)
  end
  save(scope, a)
  if op == 'reserve' then
    local function left(limit, tat, more)
      if limit < 0 then return -1, 0 end
      local used = math.max(tat, now) - now
      return math.max(0, math.floor(limit - used * limit / MINUTE - more + 1e-6)), math.floor(used)
    end
    local r, rw = left(bound(scope, 1), a.r, 0)
    local t, tw = left(bound(scope, 2), a.t, a.ht)
    for _, value in ipairs({ r, rw, t, tw }) do answer[#answer + 1] = value end
  end
end
if op == 'settle' then redis.call('SET', KEYS[1], 1, 'PX', math.ceil(ttl / 100)) end
return answer
`;
