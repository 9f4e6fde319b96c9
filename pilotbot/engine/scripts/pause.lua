-- No lane of a number is leased in this shard for a while: the platform refused it. Never shorter than was said. ARGV: number, delay_ms
local until_ms = now + tonumber(ARGV[2])
if until_ms > tonumber(redis.call('GET', key('paused', ARGV[1])) or '0') then
  redis.call('SET', key('paused', ARGV[1]), int(until_ms), 'PX', int(tonumber(ARGV[2]) + 60000))
end
return 'ok'
