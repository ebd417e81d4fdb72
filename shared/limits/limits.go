// Package limits holds every number on which code and cloud must agree, each derived from the others where it
// depends on them. Read by the functions, by infra and by local.
package limits

import "time"

// One exchange with a receiver (contract-delivery, "What an answer means").
const (
	ConnectTimeout   = 3 * time.Second
	TLSTimeout       = 3 * time.Second
	ExchangeTimeout  = 15 * time.Second // default for a webhook
	ExchangeMin      = 1 * time.Second
	ExchangeMax      = 30 * time.Second
	AnswerHeaderRead = 64 << 10 // bytes read of an answer's headers, and of all its 1xx answers
	AnswerBodyRead   = 64 << 10 // bytes read of an answer's body
	AnswerStored     = 4 << 10  // bytes stored of headers, and of body
)

// The functions behind queues. AWS advises a visibility of at least six times the function's time-out
// (Lambda developer guide, "Configuring an SQS queue to use with Lambda").
const (
	SenderTimeout   = ExchangeMax + 15*time.Second
	FanoutTimeout   = 30 * time.Second
	SweeperTimeout  = 55 * time.Second
	visibilityTimes = 6
	// LaneMargin is how long before the deadline the batch adapter starts no further message.
	LaneMargin = 2 * time.Second
	// Lease is how long a claim keeps others from the delivery: no holder lives longer.
	Lease = SenderTimeout + 5*time.Second
)

// Visibility is how long a received message stays hidden, by the time-out of the function that consumes it.
func Visibility(function time.Duration) time.Duration { return visibilityTimes * function }

// Lanes (SQS quotas).
const (
	BatchSize       = 10               // messages a function receives at once, and entries of one send
	BatchBytes      = 1 << 20          // of one send, attributes included
	MaxDelay        = 15 * time.Minute // a message's longest delay
	MaxReceiveCount = 10               // then the message is a dead letter
	LaneRetention   = 14 * 24 * time.Hour
	DeadLetterBytes = 1_000_000 // a dead letter's body is cut to leave room for its attributes

	MessageAttributes = 10 // of one message
)

// The clock (storage, "The clock").
const (
	// SweepPeriod is how often the sweeper looks.
	SweepPeriod = time.Minute
	// SweepMargin is how long after its time an attempt counts as forgotten.
	SweepMargin = 2 * time.Minute
	// SweepLead is how long before its time a long wait is handed to a lane; below MaxDelay by a sweep.
	SweepLead = 14 * time.Minute
	// ClaimEarly is how long before its time an attempt may be claimed; the sender waits it out.
	ClaimEarly = time.Second
	// RetryAfterMax is the longest wait a receiver can ask for.
	RetryAfterMax = 24 * time.Hour
)

// Keeping.
const (
	RetentionDays    = 30 // of an event; a deployment chooses RetentionDaysMin to RetentionDaysMax
	RetentionDaysMin = 15
	RetentionDaysMax = 365
	// RowKept is how much longer than its event a delivery's row is kept: a late doorbell must find it.
	RowKept     = 7 * 24 * time.Hour
	AttemptsMax = 50 // attempts kept of one delivery, the newest
)

// The API.
const (
	RequestBody   = 1 << 20 // bytes of a request
	RequestHeader = 32 << 10
	ResponseBody  = 4 << 20 // bytes of an answer; Lambda ends at 6 MB
	PageBody      = 5 << 19 // bytes of a page of the console: Lambda packs it in JSON, which escapes what HTML is made of
	APITimeout    = 25 * time.Second
	MatchesMax    = 10_000 // webhooks that one event can match
)
