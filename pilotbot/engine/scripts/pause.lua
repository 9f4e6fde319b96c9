-- No lane of a number is leased in this shard for a while: the platform refused it. ARGV: number, delay_ms
redis.call('SET', key('paused', ARGV[1]), int(now + tonumber(ARGV[2])), 'PX', int(tonumber(ARGV[2]) + 60000))
return 'ok'
