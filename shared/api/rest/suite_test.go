package rest_test

import (
	"testing"

	"nepenthes/shared/api/suite"
)

func TestSuite(t *testing.T) {
	s := newService(t)
	suite.Run(t, suite.Target{URL: s.URL, ClientID: s.Admin, ClientSecret: s.Secret}, suite.All())
}
