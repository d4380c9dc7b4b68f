/**
 * What is not of one room: which nodes live, and which rooms are to be looked at when. Each script touches one
 * key, a sorted set of milliseconds by Redis's clock. A key that holds something of another kind is thrown away:
 * the nodes then find their leases lost and enter everything again.
 */
const CLOCK = `
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function score_of(name)
  local score = redis.pcall('ZSCORE', KEYS[1], name)
  if type(score) == 'table' and score.err then
    redis.call('DEL', KEYS[1])
    return nil
  end
  return score and tonumber(score)
end

local now = now_ms()

-- Until the first score beyond now.
local function delay_after(now)
  local first = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #first == 0 then return -1 end
  return math.max(1, math.ceil(tonumber(first[2]) - now))
end
`;

/**
 * Renews a lease. One that has ended is never renewed: others may be clearing its seats away. Nor is one that
 * only VOUCH put up, whose half a millisecond shows it.
 * KEYS: leases. ARGV: lease, ttl in milliseconds, 1 if it is a new one.
 * @returns 1 if the lease holds, the leases that have ended, milliseconds until the next one will (-1: none)
 */
export const RENEW = `${CLOCK}
local ends = score_of(ARGV[1])
local holds = 0
if ARGV[3] == '1' or (ends and ends > now and ends % 1 == 0) then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
  holds = 1
end
return { holds, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now)), delay_after(now) }
`;

/**
 * The leases that hold. Not those that can only end: who has one renews it under another name in a moment, or is gone.
 * KEYS: leases.
 */
export const LIVING = `${CLOCK}
score_of('')
local living = {}
local scores = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES')
for i = 1, #scores, 2 do
  if tonumber(scores[i + 1]) % 1 == 0 then living[#living + 1] = scores[i] end
end
return living
`;

/**
 * Goes with every enter: a seat whose lease the store has lost (FLUSHALL) would never be cleared away if its node
 * died before it noticed.
 * KEYS: leases. ARGV: lease, ttl in milliseconds.
 * @returns 1 if the lease holds; 0 if it has ended or can only end; -1 if there was none: now there is one, to end with
 */
export const VOUCH = `${CLOCK}
local ends = score_of(ARGV[1])
if ends then return ends > now and ends % 1 == 0 and 1 or 0 end
redis.call('ZADD', KEYS[1], string.format('%.1f', now + ARGV[2] + 0.5), ARGV[1])
return -1
`;

/**
 * Somebody lingers in a room: it is to be looked at after so many milliseconds. An earlier date stays, unless it
 * is over: then a node may be looking at this moment and take the entry away when it is done.
 * KEYS: dates. ARGV: room, delay in milliseconds.
 */
export const SCHEDULE = `${CLOCK}
local due = score_of(ARGV[1])
if not due or due <= now or due > now + ARGV[2] then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
end
return 1
`;

/**
 * KEYS: dates. ARGV: how many at most.
 * @returns milliseconds until the next date that is not yet over (-1: none), then room, date, room, date...
 */
export const DUE = `${CLOCK}
score_of('')
local text = string.format('%.0f', now)
return { delay_after(now), redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text, 'WITHSCORES', 'LIMIT', 0, ARGV[1]) }
`;

/**
 * A room has been looked at: the next date, or none. Nothing where the date is not the one that was due any more.
 * KEYS: dates. ARGV: room, the date that was due, delay in milliseconds or -1.
 */
export const SETTLE = `${CLOCK}
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if tonumber(ARGV[3]) < 0 then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
return 1
`;

/**
 * A lease has seats in a room. The list ends by itself, since a node that was frozen while it entered can write it
 * after the others have cleared the lease away: then nobody ever looks at it again.
 * KEYS: rooms of the lease. ARGV: room, seconds.
 */
export const LIST = `
local added = redis.pcall('SADD', KEYS[1], ARGV[1])
if type(added) == 'table' and added.err then
  if not string.find(added.err, 'WRONGTYPE', 1, true) then return added end
  redis.call('DEL', KEYS[1])
  redis.call('SADD', KEYS[1], ARGV[1])
end
return redis.call('EXPIRE', KEYS[1], ARGV[2])
`;
