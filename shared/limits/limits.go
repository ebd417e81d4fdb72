// Package limits declares the numbers on which the code and the infrastructure must agree. A number that depends on
// others is derived from them.
package limits

import "time"

// One exchange with a receiver.
const (
	ConnectTimeout   = 3 * time.Second
	TLSTimeout       = 3 * time.Second
	ExchangeTimeout  = 15 * time.Second // default for a webhook
	ExchangeMin      = 1 * time.Second
	ExchangeMax      = 30 * time.Second
	AnswerHeaderRead = 64 << 10 // bytes read of an answer's headers, including those of 1xx answers before it
	AnswerBodyRead   = 64 << 10 // bytes read of an answer's body
	AnswerStored     = 4 << 10  // bytes stored of the headers, and as many of the body
)

// The functions behind queues. AWS advises a visibility of at least six times the function's time-out
// (Lambda developer guide, "Configuring an SQS queue to use with Lambda").
const (
	SenderTimeout   = ExchangeMax + 15*time.Second
	FanoutTimeout   = 30 * time.Second
	SweeperTimeout  = 55 * time.Second
	visibilityTimes = 6
	// LaneMargin is how long before its deadline a function stops starting further messages of a batch.
	LaneMargin = 2 * time.Second
	// Lease is how long a claim keeps other processes from a delivery. No process that holds a claim runs longer.
	Lease = SenderTimeout + 5*time.Second
)

// Visibility returns how long a received message stays hidden if the function that consumes it has the given time-out.
func Visibility(function time.Duration) time.Duration { return visibilityTimes * function }

// Lanes (SQS quotas).
const (
	BatchSize       = 10               // messages that a function receives at once, and that one call sends
	BatchBytes      = 1 << 20          // bytes that one call sends, attributes included
	MaxDelay        = 15 * time.Minute // longest delay of a message
	MaxReceiveCount = 10               // receives after which a message becomes a dead letter
	LaneRetention   = 14 * 24 * time.Hour
	DeadLetterBytes = 1_000_000 // bytes to which the body of a dead letter is cut, to leave room for its attributes

	MessageAttributes = 10 // attributes of one message
)

// The clock: the sweeper and the times at which attempts are planned.
const (
	// SweepPeriod is the time between two runs of the sweeper.
	SweepPeriod = time.Minute
	// SweepMargin is how long after its planned time an attempt counts as forgotten.
	SweepMargin = 2 * time.Minute
	// SweepLead is how long before its planned time an attempt is moved from the clock to a lane. It is MaxDelay
	// less one SweepPeriod.
	SweepLead = 14 * time.Minute
	// ClaimEarly is how long before its planned time an attempt may be claimed. The sender then waits for that time.
	ClaimEarly = time.Second
	// RetryAfterMax is the longest wait that a receiver can ask for.
	RetryAfterMax = 24 * time.Hour
)

// Held deliveries.
const (
	ReleaseRate    = 50    // deliveries a second that go on after a pause, unless a person chooses another rate
	ReleaseRateMax = 100   // the largest rate that a person can choose
	HeldCounted    = 1_000 // deliveries up to which those that are held are counted
)

// Figures of the deliveries of a webhook.
const (
	StatsPeriod  = 24 * time.Hour // period that is counted, unless the caller names another
	StatsCounted = 10_000         // the largest number of deliveries that are counted
)

// Retention.
const (
	RetentionDays    = 30 // default for events; a deployment may choose RetentionDaysMin to RetentionDaysMax
	RetentionDaysMin = 15
	RetentionDaysMax = 365
	// RowKept is how much longer than its event the row of a delivery is kept, so that a late doorbell finds it.
	RowKept     = 7 * 24 * time.Hour
	AttemptsMax = 50 // attempts kept of one delivery; the oldest are dropped
)

// The API.
const (
	RequestBody   = 1 << 20  // bytes of a request's body
	RequestHeader = 32 << 10 // bytes of a request's headers
	ResponseBody  = 4 << 20  // bytes of a response; Lambda allows 6 MB
	PageBody      = 5 << 19  // bytes of a page of the console; smaller, because Lambda's JSON escapes much of HTML
	APITimeout    = 25 * time.Second
	MatchesMax    = 10_000 // webhooks that one event can match
)
