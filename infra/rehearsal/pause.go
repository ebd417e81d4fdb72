package rehearsal

import (
	"context"
	"errors"
	"fmt"
)

// pause pauses the webhook, pushes two events, and waits until both deliveries are held. Nothing may arrive before the
// webhook is resumed. Then both arrive, and nothing is held any more.
func (s *story) pause(ctx context.Context) error {
	if _, err := s.client.call(ctx, "POST", s.path("/pause"), nil, 200); err != nil {
		return err
	}
	if err := errors.Join(s.publish(ctx, plain, plain), s.held(ctx, 2)); err != nil {
		return err
	}
	got, err := s.receiver.wait(ctx, s.requests)
	if err != nil {
		return err
	}
	if len(got) > s.requests {
		return fmt.Errorf("%d requests arrived while the webhook was paused", len(got)-s.requests)
	}
	if _, err := s.client.call(ctx, "POST", s.path("/resume"), members{"held": "release"}, 200); err != nil {
		return err
	}
	return errors.Join(s.arrived(ctx, 2, 2), s.held(ctx, 0))
}

// held waits until n deliveries of the webhook are held, and until the webhook says so.
func (s *story) held(ctx context.Context, n int) error {
	return poll(ctx, func() (bool, error) {
		list, err := s.client.call(ctx, "GET", s.path("/deliveries?state=held"), nil, 200)
		if err != nil || len(elements(list)) != n {
			return false, err
		}
		answer, err := s.client.call(ctx, "GET", s.path(""), nil, 200)
		if err != nil {
			return false, err
		}
		status, _ := answer["status"].(members)
		return status["held"] == float64(n), nil
	})
}
