package statemachine_test

import "slices"

// actor is a person, or the AI, who tries to change the status of a report. Kinds have the names of
// report_status_history.actor_kind.
type actor struct {
	name, kind string
	agency     string // of an official
}

func (a actor) moderates() bool { return a.kind == "moderator" || a.kind == "admin" }

// modelReport is a report as the contract describes it. It is written by hand and uses no code of the system under test.
type modelReport struct {
	author    string
	status    string
	agency    string
	returned  []string // agencies that handed it back
	paused    bool     // handed back, and with nobody since
	placed    bool     // its municipality was looked for
	original  *modelReport
	withdrawn bool
	appealed  bool
	appealing bool   // nobody has decided about the appeal yet
	kind      string // issue type
	severity  string

	disputes map[string]int // by person

	hidden    string          // who hid the words: "", moderator or flags
	moderated bool            // a moderator found it good, and the author changed nothing since
	flags     map[string]bool // people with an open flag

	history [][3]string               // from, to, kind of actor
	events  []string                  // of the ledger, in order
	told    map[string]map[string]int // notifications by person and type
}

// allowed is the table of moves, written by hand. The first result says whether there is a move from the present status to
// another one. The second says whether the actor may make it.
func (f *modelReport) allowed(to string, by actor) (bool, bool) {
	official := by.kind == "government_official" && f.workable(by)
	staff := by.kind == "moderator" || by.kind == "admin" || official
	agency := by.kind == "admin" || official
	if to == "rejected" && f.status != "rejected" {
		return true, by.kind == "moderator" || by.kind == "admin" || by.kind == "ai" && f.status == "pending"
	}
	switch f.status + " " + to {
	case "pending verified":
		return true, staff || by.kind == "ai"
	case "pending duplicate", "verified duplicate":
		return true, staff
	case "verified in_progress", "in_progress fixed", "in_progress verified", "fixed in_progress":
		return true, agency
	case "rejected pending", "duplicate pending":
		return true, by.kind == "moderator" || by.kind == "admin"
	}
	return false, false
}

// workable is true for a report that staff may work on. Both agencies work everywhere and on everything, so officials may
// take what is unassigned.
func (f *modelReport) workable(by actor) bool {
	return by.kind != "government_official" || f.agency == "" || f.agency == by.agency
}

// needsNote reports whether a move must have a note.
func (f *modelReport) needsNote(to string) bool {
	return slices.Contains([]string{"in_progress fixed", "in_progress verified", "fixed in_progress"}, f.status+" "+to)
}

// fits reports whether f may be a duplicate of original.
func (f *modelReport) fits(original *modelReport, by actor, all []*modelReport) bool {
	if by.kind == "government_official" && f.kind != original.kind {
		return false
	}
	if original == f || original.withdrawn || original.status == "duplicate" || original.status == "rejected" {
		return false
	}
	return !slices.ContainsFunc(all, func(o *modelReport) bool { return o.original == f })
}

// move records what a change of status must leave: history, ledger event, status and notification.
func (f *modelReport) move(to string, by actor, original *modelReport, all []*modelReport) {
	if by.kind == "government_official" && f.agency == "" {
		f.agency, f.paused, f.events = by.agency, false, append(f.events, "ASSIGNED")
		f.tell("report_assigned", all)
	}
	f.history = append(f.history, [3]string{f.status, to, by.kind})
	f.events = append(f.events, "STATUS_CHANGED")
	f.moderated = f.moderated || f.status == "pending" && to == "verified" && by.moderates()
	from := f.status
	f.status, f.original, f.appealing = to, original, false
	if to == "rejected" {
		clear(f.flags)
		f.tellOne(f.author, "report_rejected")
		f.tellDuplicates(by.name, all)
		return
	}
	word := map[string]string{"verified": "report_verified", "fixed": "report_fixed", "duplicate": "report_duplicate"}[to]
	if word == "" {
		word = "report_status_changed"
	}
	f.tell(word, all)
	if from == "pending" {
		f.hideFlagged()
	}
	if to == "verified" {
		f.assignItself(all)
	}
}

// assignItself is what a verification leads to. Both agencies fit equally, so the first by code that has not handed the report back
// gets it.
func (f *modelReport) assignItself(all []*modelReport) {
	if f.agency != "" || f.paused || !f.placed {
		return
	}
	for _, code := range []string{"A", "B"} {
		if !slices.Contains(f.returned, code) {
			f.agency, f.events = code, append(f.events, "ASSIGNED")
			f.tell("report_assigned", all)
			return
		}
	}
}

// handBack is what a hand-back leads to.
func (f *modelReport) handBack(by actor, all []*modelReport) {
	if f.status == "in_progress" {
		f.history = append(f.history, [3]string{f.status, "verified", by.kind})
		f.events, f.status = append(f.events, "STATUS_CHANGED"), "verified"
	}
	f.returned, f.agency, f.paused, f.events = append(f.returned, f.agency), "", true, append(f.events, "ASSIGNED")
	f.tell("report_assigned", all)
}

// tell adds a notification for the author of f, and for the authors of its duplicates.
func (f *modelReport) tell(word string, all []*modelReport) {
	for _, person := range f.concerned(all) {
		f.tellOne(person, word)
	}
}

// concerned are the author of f and the authors of its duplicates.
func (f *modelReport) concerned(all []*modelReport) []string {
	people := []string{f.author}
	for _, o := range all {
		if o.original == f && !o.withdrawn && !slices.Contains(people, o.author) {
			people = append(people, o.author)
		}
	}
	return people
}

// tellDuplicates tells the authors of the duplicates of f, but not whoever acts, that f is gone.
func (f *modelReport) tellDuplicates(by string, all []*modelReport) {
	for _, o := range all {
		if o.original == f && !o.withdrawn && o.author != by {
			o.tellOne(o.author, "report_status_changed")
		}
	}
}

func (f *modelReport) tellOne(person, word string) {
	if f.told[person] == nil {
		f.told[person] = map[string]int{}
	}
	f.told[person][word]++
}

// hides records that the words are hidden or shown, with an event and told to the author.
func (f *modelReport) hides(hidden string) {
	f.hidden, f.events = hidden, append(f.events, "CONTENT_HIDDEN")
	f.tellOne(f.author, "report_edited")
}

// flagged records the flag of a person.
func (f *modelReport) flagged(person string) {
	if f.status == "rejected" {
		return
	}
	if f.flags == nil {
		f.flags = map[string]bool{}
	}
	f.flags[person] = true
	if f.status != "pending" {
		f.hideFlagged()
	}
}

// hideFlagged hides the words if enough people flagged them and no moderator has looked.
func (f *modelReport) hideFlagged() {
	if len(f.flags) >= flagsToHide && f.hidden == "" && !f.moderated {
		f.hides("flags")
	}
}

// dismissed records that a moderator found the flags wrong.
func (f *modelReport) dismissed() {
	clear(f.flags)
	f.moderated = true
	if f.hidden == "flags" {
		f.hides("")
	}
}
