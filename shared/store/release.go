package store

import (
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// ReleaseJobKind is what faults call a release job.
const ReleaseJobKind = "release job"

// releaseJobWrites is the largest number of times that a release job can be written before its webhook is written again.
// A sweeper writes a job once a minute.
const releaseJobWrites = 1 << 32

// NewReleaseJob returns the job that is stored with a paused webhook, after the LockVersion of the webhook was raised. The
// version of the job is above the versions of all earlier jobs of the webhook, even of jobs that were deleted. So a
// sweeper that read an earlier job can neither change nor delete the new one.
func NewReleaseJob(w *webhook.Webhook) delivery.ReleaseJob {
	return delivery.ReleaseJob{Webhook: w.ID, Version: w.LockVersion * releaseJobWrites}
}
