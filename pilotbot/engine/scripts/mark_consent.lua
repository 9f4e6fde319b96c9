-- Tell a chat what its contact decided. ARGV: c, when, negative for yes.  Returns the token of its lane, where that is leased, or ''
mark_consent(ARGV[1], math.abs(tonumber(ARGV[2])), tonumber(ARGV[2]) > 0)
return redis.call('HGET', shard('lane:owner'), ARGV[1]) or ''
