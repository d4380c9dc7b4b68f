/**
 * The log is one stream whose ids are the positions, `<epoch>-<index>`, and a hash with the last of them.
 *
 * Whoever is aligned knows the index of each message by himself, and all know the same. So this takes what continues
 * the log, skips what is there, and two writers at once neither double nor disorder anything.
 *
 * KEYS head, stream; ARGV epoch, index of the first, id up to which the log may be forgotten ('' for none), where the
 * last one stands in the replication stream ('' and '' where nobody read that), then name and payload of each.
 * @returns {1, last index, how many were new} | {-1}: another epoch | {-2, last index}: a hole would be left
 */
export const APPEND = `
local head = redis.call('HMGET', KEYS[1], 'epoch', 'index')
if head[1] ~= ARGV[1] then return {-1} end
local last, index, fresh = tonumber(head[2]), tonumber(ARGV[2]), 0
if index > last + 1 then return {-2, string.format('%.0f', last)} end
-- Before anything is added: a full Redis that evicts nothing takes no XADD that begins a script's writes, and events
-- that it publishes all the same would wait here for room. The history is bounded, and trimmed first.
if ARGV[3] ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', '~', ARGV[3]) end
-- Longer than any history: what a deployment leaves behind that is given up.
redis.call('EXPIRE', KEYS[2], 172800)
for a = 6, #ARGV, 2 do
  if index > last then
    redis.call('XADD', KEYS[2], ARGV[1] .. '-' .. string.format('%.0f', index), 'c', ARGV[a], 'd', ARGV[a + 1])
    last = index
    fresh = fresh + 1
  end
  index = index + 1
end
if fresh > 0 then
  redis.call('HSET', KEYS[1], 'index', string.format('%.0f', last), 'replid', ARGV[4], 'offset', ARGV[5])
end
return {1, string.format('%.0f', last), fresh}
`;

/**
 * Begins a new epoch, only if the head is still the one that the caller has seen. Ids grow for ever, so readers go on
 * across it.
 *
 * KEYS head, stream; ARGV seen epoch, seen index, lowest allowed epoch, name of the entry, its payload.
 * @returns the epoch, as text, or '' where somebody was faster
 */
export const OPEN = `
local head = redis.call('HMGET', KEYS[1], 'epoch', 'index')
if (head[1] or '') ~= ARGV[1] or (head[2] or '') ~= ARGV[2] then return '' end
local time = redis.call('TIME')
local epoch = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[3]), (tonumber(head[1]) or 0) + 1)
local top = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local above = top and tonumber(string.match(top[1], '^%d+')) or 0
-- An id of a stranger beyond what a position can be: nothing could ever come after it.
if above > 9000000000000000 then
  redis.call('DEL', KEYS[2])
  above = 0
end
epoch = math.max(epoch, above + 1)
local text = string.format('%.0f', epoch)
-- As in APPEND: it also makes the first write one that a full Redis takes.
redis.call('EXPIRE', KEYS[2], 172800)
redis.call('XADD', KEYS[2], text .. '-1', 'c', ARGV[4], 'd', ARGV[5])
redis.call('HSET', KEYS[1], 'epoch', text, 'index', '1', 'replid', '', 'offset', '')
return text
`;

/**
 * Puts the head back that somebody deleted (FLUSHALL): whoever is aligned has heard on, and knows where the log goes on.
 *
 * KEYS head; ARGV epoch, index. @returns 1, or 0 where there is one
 */
export const RESTORE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'index', ARGV[2])
return 1
`;

/**
 * What nodes publish for themselves is no loss where nobody listens: so many calls less are to be found in the log.
 * Where that cannot be noted (a Redis that is full, or a replica) a gap is told, at worst.
 */
const PUBLISH = `
local function publish(message)
  local listeners = redis.call('PUBLISH', ARGV[1], message)
  if listeners == 0 then redis.pcall('HINCRBY', KEYS[1], 'calls', 1) end
  return listeners
end
`;

/** KEYS unheard; ARGV channel, token */
export const PROBE = `${PUBLISH}
return publish(ARGV[2])
`;

/**
 * Publishes a marker that tells how many PUBLISH calls came before it that matter, and in which process. Where INFO is
 * not allowed it tells neither.
 *
 * KEYS unheard; ARGV channel, nonce
 */
export const MARK = `${PUBLISH}
local function section(name)
  local reply = redis.pcall('INFO', name)
  return type(reply) == 'string' and reply or ''
end
local stats = section('commandstats')
-- Without a line of its own it was never called.
local calls = stats == '' and '' or string.match(stats, 'cmdstat_publish:calls=(%d+)') or '0'
local server = section('server')
local run = string.match(server, 'run_id:(%x+)') or ''
-- What comes from other masters over the cluster's bus is not among the calls of this one: the count proves nothing.
if string.find(server, 'redis_mode:cluster', 1, true) then calls = '' end
local unheard = redis.pcall('HGET', KEYS[1], 'calls')
if calls ~= '' and type(unheard) == 'string' then calls = string.format('%.0f', calls - unheard) end
return publish(ARGV[2] .. '|' .. calls .. '|' .. run)
`;

/** Does once what the others need to be allowed and able to. KEYS head, stream */
export const TRY = `
redis.call('XADD', KEYS[2], '1-1', 'c', '', 'd', '')
redis.call('XTRIM', KEYS[2], 'MINID', '~', '1-1')
redis.call('EXPIRE', KEYS[2], 60)
redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
redis.call('HSET', KEYS[1], 'epoch', '1')
redis.call('DEL', KEYS[1], KEYS[2])
return 1
`;

/**
 * Holds the prefix for the deployment that has one of these marks.
 *
 * KEYS owner; ARGV milliseconds, mark, ... @returns 1, or 0 where another deployment holds it
 */
export const OWN = `
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' then
  local ours = false
  for mark in string.gmatch(held, '%S+') do
    for a = 2, #ARGV do ours = ours or mark == ARGV[a] end
  end
  if not ours then return 0 end
end
redis.call('SET', KEYS[1], table.concat(ARGV, ' ', 2), 'PX', ARGV[1])
return 1
`;
