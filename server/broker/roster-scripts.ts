/**
 * The roster's steps, each atomic in Redis: state and announcement cannot come apart.
 *
 * Keys of a room, all under one hash tag (Redis Cluster): 1 seats (seat -> user id), 2 users (user id -> member),
 * 3 counts (user id -> seats), 4 revision. Members are ready JSON, joined as text: cjson would break ids beyond
 * 2^53, `{}` and `[]`. An announcement is five pieces: head, revision, middle, member, tail.
 */
const ROOM = `
-- Microseconds of Redis's clock, so that it grows even after FLUSHALL; never twice the same.
local function next_revision()
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', KEYS[4]) or '0')
  local revision = string.format('%.0f', math.max(now, last + 1))
  -- It outlives the room, lest a clock that is set back gives out a revision again.
  redis.call('SET', KEYS[4], revision, 'EX', 86400)
  return revision
end

local function current_revision()
  local last = redis.call('GET', KEYS[4])
  if last then return last end
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000000 + time[2])
end

local function announce(frame, head, member)
  redis.call('PUBLISH', frame.channel, head .. next_revision() .. frame.middle .. member .. frame.tail)
end

local function add(frame, seat, user, member)
  if redis.call('HSETNX', KEYS[1], seat, user) == 0 then return end
  if redis.call('HINCRBY', KEYS[3], user, 1) > 1 then return end
  redis.call('HSET', KEYS[2], user, member)
  announce(frame, frame.joined, member)
end

local function remove(frame, seat)
  local user = redis.call('HGET', KEYS[1], seat)
  if not user then return 0 end
  redis.call('HDEL', KEYS[1], seat)
  if redis.call('HINCRBY', KEYS[3], user, -1) > 0 then return 1 end
  local member = redis.call('HGET', KEYS[2], user)
  redis.call('HDEL', KEYS[3], user)
  redis.call('HDEL', KEYS[2], user)
  if member then announce(frame, frame.left, member) end
  return 1
end

local function snapshot()
  return { current_revision(), redis.call('HVALS', KEYS[2]) }
end

local frame = { channel = ARGV[1], joined = ARGV[2], left = ARGV[3], middle = ARGV[4], tail = ARGV[5] }
`;

/** ARGV: frame, seat, user, member. @returns revision and members */
export const ENTER = `${ROOM}
add(frame, ARGV[6], ARGV[7], ARGV[8])
return snapshot()
`;

/** ARGV: frame, seat. @returns 1 if the seat was there */
export const LEAVE = `${ROOM}
return remove(frame, ARGV[6])
`;

/** @returns revision and members */
export const MEMBERS = `${ROOM}
return snapshot()
`;

/**
 * Makes a room's seats of one owner what they should be. Adds first: a user whose seat only changes its name
 * must not be announced as gone.
 * ARGV: frame, the owner's prefix, then seat, user, member for each seat that should be.
 */
export const RECONCILE = `${ROOM}
local wanted = {}
for i = 7, #ARGV, 3 do
  wanted[ARGV[i]] = true
  add(frame, ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
local removed = 0
for _, seat in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(seat, 1, #ARGV[6]) == ARGV[6] and not wanted[seat] then removed = removed + remove(frame, seat) end
end
return removed
`;

/**
 * Renews a lease by Redis's clock. One that has ended is never renewed: others may be clearing its seats away.
 * KEYS: leases. ARGV: lease, ttl in milliseconds, 1 if it is a new one.
 * @returns 1 if the lease holds, then the leases that have ended
 */
export const RENEW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
local holds = 0
if ARGV[3] == '1' or (ends and tonumber(ends) > now) then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
  holds = 1
end
return { holds, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now)) }
`;
