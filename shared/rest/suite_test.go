package rest_test

import (
	"testing"

	"nepenthes/shared/rest/resttest"
)

func TestSuite(t *testing.T) {
	s := newService(t)
	resttest.Run(t, resttest.Target{URL: s.URL, ClientID: s.Admin, ClientSecret: s.Secret}, resttest.All())
}
