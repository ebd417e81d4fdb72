package main

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// options are what a deployment chooses, by context ("cdk deploy -c name=value").
type options struct {
	stage             string
	binaries          string // the folder with a folder for each function
	publicURL         string // empty: the stage's own address
	allowHTTP         bool
	retentionDays     int
	requestsPerSecond int
	producers         []string // accounts, besides this one, that may push events
	alarmAddress      string   // empty: the topic has no subscriber
	reserved          int      // concurrency reserved for each function behind the gateway; 0: none
	domainName        string
	certificateARN    string
	staticEgress      bool
}

// The account that only emulators have.
const emulatorAccount = "000000000000"

// Bounds of context values that are not in package limits.
const (
	requestsPerSecond    = 100
	requestsPerSecondMax = 1000
	reservedMax          = 1000
)

var (
	stageName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	accountID    = regexp.MustCompile(`^[0-9]{12}$`)
	hostName     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	certificate  = regexp.MustCompile(`^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$`)
	foreignValue = regexp.MustCompile(`[^A-Za-z]`) // the CDK's own context has such characters in its names
)

// choice is one context value: how it is read, and what is said when it cannot be.
type choice struct {
	rule string
	set  func(o *options, text string) bool
}

var choices = map[string]choice{
	"stage": {"it is a lower-case letter, then up to 19 lower-case letters, digits and hyphens", func(o *options, text string) bool {
		o.stage = text
		return stageName.MatchString(text)
	}},
	"publicUrl": {"it is https:// and a host name, without a path", func(o *options, text string) bool {
		o.publicURL = text
		u, err := url.Parse(text)
		return err == nil && u.Scheme == "https" && u.Hostname() != "" && text == "https://"+strings.ToLower(u.Host)
	}},
	"allowHttp":    {"it is true or false", func(o *options, text string) bool { return boolean(&o.allowHTTP, text) }},
	"staticEgress": {"it is true or false", func(o *options, text string) bool { return boolean(&o.staticEgress, text) }},
	"retentionDays": {fmt.Sprintf("it is a number of days from %d to %d", limits.RetentionDaysMin, limits.RetentionDaysMax), func(o *options, text string) bool {
		return number(&o.retentionDays, text, limits.RetentionDaysMin, limits.RetentionDaysMax)
	}},
	"requestsPerSecond": {fmt.Sprintf("it is a number from 1 to %d", requestsPerSecondMax), func(o *options, text string) bool {
		return number(&o.requestsPerSecond, text, 1, requestsPerSecondMax)
	}},
	"reservedConcurrency": {fmt.Sprintf("it is a number from 1 to %d, reserved for each of the %d functions behind the gateway", reservedMax, len(routes.HTTP())), func(o *options, text string) bool {
		return number(&o.reserved, text, 1, reservedMax)
	}},
	"producers": {"it is a list of account numbers of 12 digits, separated by commas", func(o *options, text string) bool {
		o.producers = strings.Split(text, ",")
		return !slices.ContainsFunc(o.producers, func(a string) bool { return !accountID.MatchString(a) })
	}},
	"alarmAddress": {"it is one e-mail address", func(o *options, text string) bool {
		o.alarmAddress = text
		parsed, err := mail.ParseAddress(text)
		return err == nil && parsed.Address == text
	}},
	"domainName": {"it is a host name in lower case", func(o *options, text string) bool {
		o.domainName = text
		return hostName.MatchString(text)
	}},
	"certificateArn": {"it is the ARN of a certificate in ACM, in the region of the stack", func(o *options, text string) bool {
		o.certificateARN = text
		return certificate.MatchString(text)
	}},
	"assets": {"it is release or local", func(o *options, text string) bool {
		o.binaries = map[string]string{"release": releaseBinaries, "local": emulatorBinaries}[text]
		return o.binaries != ""
	}},
}

// The folders that "make build" and "make build-local" fill.
const (
	releaseBinaries  = "build"
	emulatorBinaries = "build/local"
)

// read reads the context values; account is the one that will be deployed to, empty when nobody knows. All that is
// wrong is told at once, each in a sentence on a line of its own.
func read(values map[string]any, account string) (options, error) {
	o := options{
		stage: "dev", binaries: releaseBinaries,
		retentionDays: limits.RetentionDays, requestsPerSecond: requestsPerSecond,
	}
	var faults sentences
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c, known := choices[name]
		text := written(values[name])
		switch {
		case known && !c.set(&o, text):
			faults.add("The context value %s cannot be %q: %s.", name, text, c.rule)
		case !known && !foreignValue.MatchString(name):
			faults.add("There is no context value %s; there are %s.", name, strings.Join(slices.Sorted(maps.Keys(choices)), ", "))
		}
	}
	o.together(account, &faults)
	return o, errors.Join(faults...)
}

// sentence is an error for people: unlike others it begins and ends as sentences do.
type sentence string

// Error is the sentence.
func (s sentence) Error() string { return string(s) }

type sentences []error

func (s *sentences) add(format string, args ...any) {
	*s = append(*s, sentence(fmt.Sprintf(format, args...)))
}

// together tells what is wrong between the values, and gives those their defaults that follow from others.
func (o *options) together(account string, faults *sentences) {
	if o.binaries == emulatorBinaries && account != emulatorAccount {
		faults.add("The context value assets=local is for emulators alone, whose account is %s: its functions may call this machine.", emulatorAccount)
	}
	if (o.domainName == "") != (o.certificateARN == "") {
		faults.add("The context values domainName and certificateArn are given together or not at all.")
	}
	if o.domainName != "" && o.publicURL == "" {
		o.publicURL = "https://" + o.domainName
	}
	for _, f := range routes.Functions() {
		path := filepath.Join(o.binaries, string(f), "bootstrap")
		if _, err := os.Stat(path); o.binaries != "" && err != nil {
			faults.add("There is no %s: run make build first (for assets=local, make build-local).", path)
			return
		}
	}
}

// written is a value as the command line would have it; cdk.json can hold lists, numbers and booleans.
func written(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ",")
}

func boolean(to *bool, text string) bool {
	*to = text == "true"
	return text == "true" || text == "false"
}

func number(to *int, text string, low, high int) bool {
	n, err := strconv.Atoi(text)
	*to = n
	return err == nil && low <= n && n <= high
}
