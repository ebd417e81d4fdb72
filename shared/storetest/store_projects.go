package storetest

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

var projectCases = []storeCase{
	{"are read as they were written", (*storeTest).projectRoundTrip},
	{"can have empty members", (*storeTest).projectEmpty},
	{"keep news from any year", (*storeTest).projectNews},
	{"accept earlier news after news from the future", (*storeTest).projectEarlierNews},
	{"are listed oldest first, then by id", (*storeTest).projectsInOrder},
	{"are found by their ids", (*storeTest).projectsByID},
	{"are found by a thousand ids at once", (*storeTest).projectsThousand},
	{"are not changed if the version differs", (*storeTest).projectVersion},
	{"accept a repeated write", (*storeTest).projectTwice},
	{"are changed by one of several concurrent writers", (*storeTest).projectAtOnce},
}

func (t *storeTest) projectRoundTrip() {
	want := fullProject("7")
	checkFilled(t, want)
	p := want
	p.Version = 0
	t.ok(t.PutProject(t.Context(), &p))
	same(t, "the value that was put", p, want)
	t.projectsAre(want)
}

func (t *storeTest) projectEmpty() {
	p := t.project("7")
	empty := project.Project{ID: p.ID, Version: p.Version}
	t.ok(t.PutProject(t.Context(), &empty))
	t.projectsAre(project.Project{ID: p.ID, Version: 2})
}

// projectNews stores news from unusual years, because a producer may send any RFC 3339 time.
func (t *storeTest) projectNews() {
	for i, text := range []string{
		"0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "1677-09-21T00:00:00Z", "2262-04-12T00:00:00Z",
		"9999-12-31T23:59:59.999999999-23:59",
	} {
		news, err := time.Parse(time.RFC3339, text)
		t.ok(err)
		want := project.Project{ID: strconv.Itoa(i), NewsAt: news}
		t.ok(t.PutProject(t.Context(), &want))
		got, err := t.ProjectsByID(t.Context(), want.ID)
		t.ok(err)
		same(t, "the project", got, []project.Project{want})
	}
}

// projectEarlierNews checks that the store accepts older news. Its callers decide which news is the newest.
func (t *storeTest) projectEarlierNews() {
	p := project.Project{ID: "7", NewsAt: time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC), Gone: true}
	t.ok(t.PutProject(t.Context(), &p))
	p.NewsAt, p.Name = epoch, "Plant"
	t.ok(t.PutProject(t.Context(), &p))
	p.NewsAt, p.Gone = time.Time{}, false
	t.ok(t.PutProject(t.Context(), &p))
	t.projectsAre(project.Project{ID: "7", Name: "Plant", Version: 3})
}

func (t *storeTest) projectsInOrder() {
	var want []project.Project
	for _, projectID := range []string{"9", "10", "a", "B", "_", "-"} {
		for _, age := range []time.Duration{time.Hour, time.Minute, 1} {
			p := project.Project{ID: projectID + age.String(), CreatedAt: epoch.Add(-age.Truncate(time.Minute))}
			t.ok(t.PutProject(t.Context(), &p))
			want = append(want, p)
		}
	}
	slices.SortFunc(want, func(a, b project.Project) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	t.projectsAre(want...)
}

func (t *storeTest) projectsByID() {
	seven, eight := t.project("7"), t.project("8")
	t.project("9")
	t.projectsFound([]project.Project{seven, eight}, "8", "77", "7", "8", "")
	t.projectsFound(nil, "77")
	t.projectsFound(nil)
}

// projectsThousand asks for more ids than one request to DynamoDB may name.
func (t *storeTest) projectsThousand() {
	var ids []string
	var want []project.Project
	for i := range 1000 {
		ids = append(ids, strconv.Itoa(1000+i))
		if i%10 == 0 {
			want = append(want, t.project(ids[i]))
		}
	}
	t.projectsFound(want, ids...)
}

func (t *storeTest) projectVersion() {
	stored := t.project("7")
	for _, version := range []int64{0, 2} {
		p := project.Project{ID: "7", Name: "other", Version: version}
		t.fails(t.PutProject(t.Context(), &p), fault.UpdateConflict)
		same(t, "the version of the refused value", p.Version, version)
	}
	t.fails(t.PutProject(t.Context(), &project.Project{ID: "8", Version: 1}), fault.NotFound)
	t.projectsAre(stored)
}

// projectTwice repeats a write as a caller does that has not received the answer.
func (t *storeTest) projectTwice() {
	p := t.project("7")
	p.Name = "New name"
	again := p
	t.ok(t.PutProject(t.Context(), &p))
	t.ok(t.PutProject(t.Context(), &again))
	same(t, "the value that was put again", again, p)
	t.projectsAre(p)
}

func (t *storeTest) projectAtOnce() {
	t.oneWins(fault.UpdateConflict, func(i int) error {
		return t.PutProject(t.Context(), &project.Project{ID: "7", Name: strconv.Itoa(i)})
	})
}

// project creates a project and returns the stored project.
func (t *storeTest) project(projectID string) project.Project {
	t.Helper()
	p := fullProject(projectID)
	p.Version = 0
	t.ok(t.PutProject(t.Context(), &p))
	return p
}

func (t *storeTest) projectsAre(want ...project.Project) {
	t.Helper()
	got, err := t.Projects(t.Context())
	t.ok(err)
	same(t, "the list of projects", got, want)
}

func (t *storeTest) projectsFound(want []project.Project, ids ...string) {
	t.Helper()
	got, err := t.ProjectsByID(t.Context(), ids...)
	t.ok(err)
	slices.SortFunc(got, func(a, b project.Project) int { return cmp.Compare(a.ID, b.ID) })
	same(t, "the projects of the ids", got, want)
}
