-- No lane of a number is leased in this shard for a while: the platform refused it. Never shorter than was said.
-- ARGV: number, delay_ms, why.  Returns when what was asked for ends: another's pause may be longer
local until_ms = now + tonumber(ARGV[2])
local known = tonumber(redis.call('GET', key('paused', ARGV[1])) or '0')
if known >= until_ms then return until_ms end
local keep_ms = int(tonumber(ARGV[2]) + 60000)
redis.call('SET', key('paused', ARGV[1]), int(until_ms), 'PX', keep_ms)
redis.call('SET', key('paused-why', ARGV[1]), ARGV[3] or '', 'PX', keep_ms)
return until_ms
