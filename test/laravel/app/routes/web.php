<?php
use Illuminate\Http\Request;
use Illuminate\Support\Facades\{Auth, Broadcast, Route};
use Illuminate\Support\Str;

Route::get('/up', fn () => app()->version());
Route::post('/fire/{kind}', fn (Request $r, $kind) => ['ok' => true, 'result' => App\fire($kind, $r->all())]);
Route::get('/login', fn () => 'a login form')->name('login');          // where auth middleware sends non-JSON guests
Route::middleware('web')->get('/login/{id}', function ($id) {      // sets laravel_session and XSRF-TOKEN
    Auth::loginUsingId($id);
    return ['id' => Auth::id(), 'csrf' => csrf_token()];
});

// The README shows this route.
Route::post('/yamabiko/token', function (Request $request) {
    $channel = $request->validate(['channel' => 'required|string'])['channel'];
    if (Str::is(['news', 'public.*'], $channel)) {
        return ['token' => null];                                       // a public channel: nothing to sign
    }
    $user = $request->user('web') ?? $request->user('api') ?? abort(401);
    $request->setUserResolver(fn () => $user);                          // routes/channels.php judges whom the token will name
    Broadcast::auth($request->merge(['channel_name' => "presence-$channel"]));  // 403 unless routes/channels.php says yes

    return ['token' => App\jwt([
        'id' => $user->id, 'name' => $user->name, 'channel' => $channel,
        'iat' => time(), 'exp' => time() + (int) env('JWT_TTL', 3600),
    ], env('JWT_SECRET', 'test-secret-test-secret-test-secret!'))];
})->middleware('web')->withoutMiddleware([                              // as Laravel does for /broadcasting/auth
    'Illuminate\Foundation\Http\Middleware\VerifyCsrfToken',            // 8 to 12
    'Illuminate\Foundation\Http\Middleware\PreventRequestForgery',      // 13
]);

// Routes that a test takes out of a page of the documentation, so that what is shown is what is run.
if (env('DOCUMENTED_ROUTES')) {
    Illuminate\Support\Facades\Event::listen('yamabiko.*', function ($name, $payload) {
        file_put_contents(storage_path('heard.jsonl'), json_encode([$name, $payload[0]])."\n", FILE_APPEND | LOCK_EX);
    });
    require env('DOCUMENTED_ROUTES');
}
Route::get('/heard', fn () => array_map('json_decode', is_file(storage_path('heard.jsonl')) ? file(storage_path('heard.jsonl')) : []));
